# contract(API SERVER): what cmake/contract/ makes of api/openapi.yaml: routes and bodies into API, the JSON into SERVER.
function(contract api server)
    set(yaml ${PROJECT_SOURCE_DIR}/api/openapi.yaml)
    file(GLOB scripts CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/contract/*.py)
    set(folder ${PROJECT_BINARY_DIR}/generated)
    set(json ${folder}/openapi.json)
    set(out ${folder}/openapi.c)
    set(made ${folder}/routes.c ${folder}/api/body.c ${folder}/api/bodies.h)
    file(MAKE_DIRECTORY ${folder}/api)
    find_program(SYSTEM_PYTHON3 python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
    add_custom_command(OUTPUT ${json} ${made}
        COMMAND ${SYSTEM_PYTHON3} -B ${PROJECT_SOURCE_DIR}/cmake/contract/generate.py ${yaml} ${folder}
        DEPENDS ${yaml} ${scripts} VERBATIM)
    add_custom_target(contract_files DEPENDS ${json} ${made})
    target_sources(${api} PRIVATE ${made})
    target_include_directories(${api} PUBLIC ${folder})
    add_dependencies(${api} contract_files)
    add_dependencies(${server} contract_files)
    file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
"/* Made by cmake/contract.cmake: the contract as JSON. */
#include \"server/openapi.h\"

__asm__(\".section .rodata\\n\"
	\".global openapi_begin, openapi_end\\n\"
	\"openapi_begin: .incbin \\\"@json@\\\"\\n\"
	\"openapi_end: .byte 0\\n\"
	\".previous\\n\");
extern const char openapi_begin[], openapi_end[];

struct str openapi_json(void)
{
	return str_n(openapi_begin, (size_t)(openapi_end - openapi_begin));
}
")
    target_sources(${server} PRIVATE ${out})
    # .incbin is invisible to the compiler's dependency scan.
    set_property(SOURCE ${out} DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTY OBJECT_DEPENDS "${json}")
endfunction()
