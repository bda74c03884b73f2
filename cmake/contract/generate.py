"""generate.py OPENAPI.yaml FOLDER: what the build makes of the contract.

FOLDER/openapi.json is the contract as compact JSON; FOLDER/routes.c the table of every path and method that exists;
FOLDER/api/bodies.h and body.c the structs and tables of every request body; FOLDER/docs.html the reference page;
FOLDER/published.c both documents as bytes of the binary. Whatever a generator does not understand is an
error, never left out."""
import sys
from pathlib import Path

from bodies import bodies
from document import ContractError, dump_json, load
from page import page
from routes import routes

PUBLISHED = """/* Made by cmake/contract: the contract as JSON and as a page. */
#include "api/published.h"

__asm__(".section .rodata\\n"
	"published_json_begin: .incbin \\"{folder}/openapi.json\\"\\n"
	"published_json_end: .byte 0\\n"
	"published_html_begin: .incbin \\"{folder}/docs.html\\"\\n"
	"published_html_end: .byte 0\\n"
	".global published_json_begin, published_json_end, published_html_begin, published_html_end\\n"
	".previous\\n");
extern const char published_json_begin[], published_json_end[];
extern const char published_html_begin[], published_html_end[];
const char PUBLISHED_STYLE[] = "{style}";

struct str published_openapi(void)
{{
	return str_n(published_json_begin, (size_t)(published_json_end - published_json_begin));
}}

struct str published_docs(void)
{{
	return str_n(published_html_begin, (size_t)(published_html_end - published_html_begin));
}}
"""


def main():
    contract, folder = load(Path(sys.argv[1])), Path(sys.argv[2])
    (folder / "api").mkdir(parents=True, exist_ok=True)
    header, source = bodies(contract)
    html, style = page(contract)
    for name, text in (("openapi.json", dump_json(contract)), ("routes.c", routes(contract)), ("api/bodies.h", header),
                       ("api/body.c", source), ("docs.html", html),
                       ("published.c", PUBLISHED.format(folder=folder.resolve(), style=style))):
        (folder / name).write_text(text, encoding="utf-8")


try:
    main()
except ContractError as fault:
    sys.exit(f"{sys.argv[1]}: {fault}")
