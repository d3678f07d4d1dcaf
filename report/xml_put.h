/* xml_put.h - text and names of XML, escaped so that any input stays well-formed. */
#ifndef FL_REPORT_XML_PUT_H
#define FL_REPORT_XML_PUT_H

#include "faultline/core.h"

/* Escaped for content and for attributes in double quotes. */
void fl_xml_put_text(fl_out *out, fl_str s);
void fl_xml_put_char(fl_out *out, uint32_t code_point);
/* A reference where XML knows the entity, else the text "&name;". */
void fl_xml_put_entity(fl_out *out, fl_str name);
/* A processing instruction from "target data". */
void fl_xml_put_instruction(fl_out *out, fl_str text);
/* What is no name becomes one. `has_prefix`: the first colon ends a prefix that is declared. */
void fl_xml_put_name(fl_out *out, fl_str name, bool has_prefix);
/* The part before the colon when the name is a prefix and a local name, else empty. */
fl_str fl_xml_prefix(fl_str name);

#endif
