#include "api/page_assets.h"

// The assembler puts each file between two symbols. REEL_NPM is the folder of npm packages.
#define REEL_ASSET(name, file)                                                      \
  __asm__(                                                                          \
      ".pushsection .rodata.reel_assets, \"a\", @progbits\n"                        \
      "reel_asset_" #name ": .incbin \"" REEL_NPM "/" file                          \
      "\"\n"                                                                        \
      "reel_asset_" #name                                                           \
      "_end: .byte 0\n"                                                             \
      ".popsection\n");                                                             \
  extern "C" const char reel_asset_##name[];                                        \
  extern "C" const char reel_asset_##name##_end[];                                  \
  namespace reel::api::asset {                                                      \
  std::string_view name() {                                                         \
    return {static_cast<const char*>(reel_asset_##name),                            \
            static_cast<std::size_t>(reel_asset_##name##_end - reel_asset_##name)}; \
  }                                                                                 \
  }

REEL_ASSET(swagger_ui_css, "swagger-ui-dist/swagger-ui.css")
REEL_ASSET(swagger_ui_js, "swagger-ui-dist/swagger-ui-bundle.js")
REEL_ASSET(swagger_ui_license, "swagger-ui-dist/LICENSE")
REEL_ASSET(redoc_js, "redoc/bundles/redoc.standalone.js")
REEL_ASSET(redoc_license, "redoc/LICENSE")
