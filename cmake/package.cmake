# What `cmake --install` puts where, and the .deb that CPack makes of it (./dev package). deploy/debian has the files.
set(package ${CMAKE_SOURCE_DIR}/deploy/debian)
set(documents share/doc/reelhouse)

# DuckDB's library is no package of Debian: it comes along, where nothing else of the system finds it.
set_target_properties(reelhouse PROPERTIES INSTALL_RPATH "$ORIGIN/../lib/reelhouse")
install(TARGETS reelhouse DESTINATION bin)
install(FILES ${REEL_DUCKDB}/libduckdb.so DESTINATION lib/reelhouse)
install(FILES ${REEL_DUCKDB_SOURCE}/external/duckdb/LICENSE DESTINATION ${documents} RENAME duckdb.LICENSE)
install(FILES ${REEL_FLATCC}/NOTICE DESTINATION ${documents} RENAME flatcc.NOTICE)
install(FILES ${package}/reelhouse.toml DESTINATION /etc/reelhouse)
install(FILES ${package}/reelhouse.service DESTINATION /lib/systemd/system)
install(FILES ${package}/copyright docs/operations.md DESTINATION ${documents})
install(FILES ${REEL_NPM}/redoc/LICENSE DESTINATION ${documents} RENAME redoc.LICENSE)
install(FILES ${REEL_NPM}/swagger-ui-dist/LICENSE DESTINATION ${documents} RENAME swagger-ui.LICENSE)
install(FILES ${REEL_NPM}/swagger-ui-dist/NOTICE DESTINATION ${documents} RENAME swagger-ui.NOTICE)

# The program writes its completions itself.
foreach(file bash:share/bash-completion/completions/reelhouse zsh:share/zsh/vendor-completions/_reelhouse)
  string(REGEX REPLACE ":.*" "" shell ${file})
  string(REGEX REPLACE ".*:" "" place ${file})
  install(CODE "execute_process(COMMAND $<TARGET_FILE:reelhouse> completion ${shell}
    OUTPUT_FILE ${CMAKE_BINARY_DIR}/completion.${shell} COMMAND_ERROR_IS_FATAL ANY)")
  get_filename_component(folder ${place} DIRECTORY)
  get_filename_component(name ${place} NAME)
  install(FILES ${CMAKE_BINARY_DIR}/completion.${shell} DESTINATION ${folder} RENAME ${name})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "Reelhouse <reelhouse@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "time-addressable media lakehouse")
set(CPACK_PACKAGE_DESCRIPTION "Stores video, audio and data by time, and speaks BBC's Time-addressable Media Store API (TAMS 8.2).
The service listens on port 8000 of this machine; /etc/reelhouse/reelhouse.toml configures it.")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION video)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ffmpeg)  # for `reelhouse ingest` and `export`; serving needs none
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${REEL_DUCKDB})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${package}/conffiles ${package}/postinst ${package}/prerm ${package}/postrm)
include(CPack)
