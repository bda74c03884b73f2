"""generate.py OPENAPI.yaml FOLDER: what the build makes of the contract.

FOLDER/openapi.json is the contract as compact JSON; FOLDER/routes.c the table of every path and method that exists;
FOLDER/api/bodies.h and body.c the structs and tables of every request body. Whatever a generator does not understand is an
error, never left out."""
import sys
from pathlib import Path

from bodies import bodies
from document import ContractError, dump_json, load
from routes import routes


def main():
    contract, folder = load(Path(sys.argv[1])), Path(sys.argv[2])
    (folder / "api").mkdir(parents=True, exist_ok=True)
    header, source = bodies(contract)
    for name, text in (("openapi.json", dump_json(contract)), ("routes.c", routes(contract)), ("api/bodies.h", header),
                       ("api/body.c", source)):
        (folder / name).write_text(text, encoding="utf-8")


try:
    main()
except ContractError as fault:
    sys.exit(f"{sys.argv[1]}: {fault}")
