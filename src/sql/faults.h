#pragma once
// The texts of everything that a node's SQL may get wrong before types are known.
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sql/functions.h"
#include "sql/text.h"

namespace headrace::sql {

Error SyntaxFault(const SqlText& text, Span span, std::string message);
Error EmptyFault(const SqlText& text);
Error SecondStatementFault(const SqlText& text, Span span);
/// `keyword`: first word of the statement, upper case.
Error NotASelectFault(const SqlText& text, Span span, const std::string& keyword);
Error PivotWithoutInFault(const SqlText& text, Span span);

Error QualifiedTableFault(const SqlText& text, Span span, const std::string& written,
                          const std::string& table);
Error FileTableFault(const SqlText& text, Span span, const std::string& path);
Error BadNodeNameFault(const SqlText& text, Span span, const std::string& name);
Error ShowFault(const SqlText& text);
Error TimeTravelFault(const SqlText& text, Span span, const std::string& table);
Error TableFunctionFault(const SqlText& text, Span span, const std::string& name);

Error FunctionFaultError(const SqlText& text, Span span, const std::string& name,
                         FunctionFault fault);
Error UnknownFunctionFault(const SqlText& text, Span span, const std::string& name,
                           std::vector<std::string> candidates);
Error SampleFault(const SqlText& text, Span span);

Error PositionalParameterFault(const SqlText& text, Span span, const std::string& written);
Error IntervalParameterFault(const SqlText& text, Span span, const std::string& name);
Error UnknownParameterFault(const SqlText& text, Span span, const std::string& name,
                            std::vector<std::string> candidates);

/// A hint (not a fault): the result may differ from run to run.
Error OrderHint(const SqlText& text, Span span, std::string message, std::string hint);

/// A node name made from a file or table name: "data/My Usage.csv" → "my_usage".
std::string NodeNameFor(std::string_view path);

}  // namespace headrace::sql
