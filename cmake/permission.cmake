# permission(TARGET): links the permission catalogue, base/permission.yaml, into TARGET as a table.
function(permission target)
    set(yaml ${PROJECT_SOURCE_DIR}/base/permission.yaml)
    set(out ${PROJECT_BINARY_DIR}/generated/permission.c)
    set(maker ${PROJECT_SOURCE_DIR}/cmake/permission.py)
    find_program(SYSTEM_PYTHON3 python3 PATHS /usr/bin NO_DEFAULT_PATH REQUIRED)
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/generated
        COMMAND ${SYSTEM_PYTHON3} ${maker} ${yaml} ${out}
        DEPENDS ${yaml} ${maker} VERBATIM)
    target_sources(${target} PRIVATE ${out})
endfunction()
