# openapi(TARGET): links api/openapi.yaml into TARGET, converted to JSON.
function(openapi target)
    set(yaml ${PROJECT_SOURCE_DIR}/api/openapi.yaml)
    set(json ${PROJECT_BINARY_DIR}/generated/openapi.json)
    set(out ${PROJECT_BINARY_DIR}/generated/openapi.c)
    find_program(SYSTEM_PYTHON3 python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
    add_custom_command(OUTPUT ${json}
        COMMAND ${SYSTEM_PYTHON3} ${PROJECT_SOURCE_DIR}/cmake/yaml_to_json.py ${yaml} ${json}
        DEPENDS ${yaml} ${PROJECT_SOURCE_DIR}/cmake/yaml_to_json.py VERBATIM)
    file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
"/* Made by cmake/openapi.cmake: the contract as JSON. */
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
    target_sources(${target} PRIVATE ${out})
    # .incbin is invisible to the compiler's dependency scan.
    set_property(SOURCE ${out} DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTY OBJECT_DEPENDS "${json}")
endfunction()
