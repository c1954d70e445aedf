#pragma once
// The parts of the page, from the top down. A part without anything to say is none.
#include <optional>

#include "report/markup.h"
#include "report/run_report.h"

namespace headrace::report {

using Section = std::optional<Markup>;

Section GraphSection(const RunReport& report);
Section ChangesSection(const RunReport& report);
Markup ModelPart(const ModelSection& model);
Section ChecksSection(const RunReport& report);
Section RowsSection(const RunReport& report);
Section ActionsSection(const RunReport& report);
Section DecisionsSection(const RunReport& report);
Section NotesSection(const RunReport& report);
Markup AboutSection(const RunReport& report);

/// A section with its heading and, under it, a sentence.
Markup NewSection(std::string_view id, std::string_view heading, std::string_view under = "");
/// A table's head; a heading that ends with '#' is a column of numbers.
Markup NewTable(const std::vector<std::string>& head);
Markup Cell(std::string_view text, std::string_view style = "");

}  // namespace headrace::report
