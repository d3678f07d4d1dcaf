/* faultline.h - everything, in the order in which data walks. */
#ifndef FAULTLINE_H
#define FAULTLINE_H

#include "faultline/case.h"
#include "faultline/core.h"
#include "faultline/event.h"
#include "faultline/facts.h"
#include "faultline/hunt.h"
#include "faultline/ingest.h"
#include "faultline/report.h"
#include "faultline/rules.h"
#include "faultline/timeline.h"
#include "faultline/trace.h"
#include "faultline/value.h"

#endif
