# migrations(TARGET): links every db/migrations/*.sql into TARGET, byte for byte, and a table of them in order of name.
function(migrations target)
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/db/migrations/*.sql)
    list(SORT files)
    set(symbols "")
    set(rows "")
    set(n 0)
    foreach(file ${files})
        get_filename_component(name ${file} NAME_WE)
        string(APPEND symbols
            "__asm__(\".section .rodata\\n\"\n"
            "\t\".global migrations_${n}, migrations_${n}_end\\n\"\n"
            "\t\"migrations_${n}: .incbin \\\"${file}\\\"\\n\"\n"
            "\t\"migrations_${n}_end: .byte 0\\n\"\n"
            "\t\".previous\\n\");\n"
            "extern const char migrations_${n}[], migrations_${n}_end[];\n")
        string(APPEND rows "\t{ \"${name}\", migrations_${n}, migrations_${n}_end },\n")
        math(EXPR n "${n} + 1")
    endforeach()
    set(out ${PROJECT_BINARY_DIR}/generated/migrations.c)
    file(CONFIGURE OUTPUT ${out} @ONLY CONTENT
"/* Made by cmake/migrations.cmake: the files of db/migrations. */
#include \"db/migrations.h\"
#include <stddef.h>

@symbols@
const struct migrations_file MIGRATIONS[] = {
@rows@\t{ NULL, NULL, NULL },
};
")
    target_sources(${target} PRIVATE ${out})
    # .incbin is invisible to the compiler's dependency scan.
    set_property(SOURCE ${out} DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTY OBJECT_DEPENDS "${files}")
endfunction()
