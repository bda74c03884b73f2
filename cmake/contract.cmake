# contract(API): what cmake/contract/ makes of api/openapi.yaml: routes, bodies, the served JSON and the reference page.
function(contract api)
    set(yaml ${PROJECT_SOURCE_DIR}/api/openapi.yaml)
    set(maker ${PROJECT_SOURCE_DIR}/cmake/contract)
    file(GLOB parts CONFIGURE_DEPENDS ${maker}/*.py ${maker}/*.css)
    set(folder ${PROJECT_BINARY_DIR}/generated)
    set(made ${folder}/routes.c ${folder}/published.c ${folder}/api/body.c ${folder}/api/bodies.h)
    set(documents ${folder}/openapi.json ${folder}/docs.html)
    file(MAKE_DIRECTORY ${folder}/api)
    find_program(SYSTEM_PYTHON3 python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
    add_custom_command(OUTPUT ${made} ${documents}
        COMMAND ${SYSTEM_PYTHON3} -B ${maker}/generate.py ${yaml} ${folder}
        DEPENDS ${yaml} ${parts} VERBATIM)
    # Whoever includes api/bodies.h waits for it.
    add_custom_target(contract_files DEPENDS ${made} ${documents})
    target_sources(${api} PRIVATE ${made})
    target_include_directories(${api} PUBLIC ${folder})
    add_dependencies(${api} contract_files)
    # .incbin is invisible to the compiler's dependency scan.
    set_property(SOURCE ${folder}/published.c DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTY OBJECT_DEPENDS "${documents}")
endfunction()
