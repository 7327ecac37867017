// Debian's libfmt was built by g++, which mangles the name of this instantiation differently from
// clang 19. Callers of fmt::format_to, spdlog's headers among them, refer to clang's name, so it is
// instantiated here once.
#include <fmt/format.h>

FMT_BEGIN_NAMESPACE
namespace detail {
template void vformat_to(buffer<char>&, string_view, basic_format_args<FMT_BUFFER_CONTEXT(char)>,
                         locale_ref);
}  // namespace detail
FMT_END_NAMESPACE
