#pragma once
//! What a header must say, beyond its layout.

#include "exr/finding.h"
#include "exr/header.h"

namespace reel::exr {

//! Every rule of the format that the header breaks, in the order of the file. The size of the image
//! breaks none. `whole`: the header's end was reached; if not, nothing is missing in its last part.
//!
//! Sources: "OpenEXR File Layout", "Technical Introduction to OpenEXR", and the checks of the
//! reference library where those say nothing.
Findings check_rules(const Header& header, bool whole = true);

}  // namespace reel::exr
