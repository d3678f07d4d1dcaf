/* limits.h - every limit that an input can reach, with the reason for its size. */
#ifndef FL_BASE_LIMITS_H
#define FL_BASE_LIMITS_H

enum {
  FL_LIMIT_NESTED_CONTAINERS = 4,   /* a bundle in a bundle in a bundle; real ones reach 2 */
  FL_LIMIT_MEMBERS = 100000,        /* members of one input, all levels together */
  FL_LIMIT_MEMBER_RATIO = 200,      /* unpacked bytes for each packed byte, after 1 MiB */
  FL_LIMIT_FOLDER_DEPTH = 64,       /* folders inside each other on disk */
  FL_LIMIT_TEMPLATE_DEPTH = 64,     /* BinXML template instances inside each other */
  FL_LIMIT_ELEMENT_DEPTH = 256,     /* open BinXML elements */
  FL_LIMIT_RECORD_STEPS = 100000,   /* BinXML tokens and values of one record */
  FL_LIMIT_RECORD_ELEMENTS = 8192,  /* elements and attributes of one record, expanded */
  FL_LIMIT_ELEMENT_ATTRIBUTES = 64, /* of one element; real ones have 4 */
  FL_LIMIT_RECORD_TEXT = 1 << 20,   /* text of one record: a message is at most 64 KiB */
  FL_LIMIT_TEMPLATE_VALUES = 8192,  /* substitutions: more do not fit a 64 KiB chunk */
  FL_LIMIT_NOTES_ALIKE = 200,       /* of one kind and source; the rest is counted */
  FL_LIMIT_LEDGER_RANGES = 65536,   /* of one source; what follows is one damaged range */
  FL_LIMIT_OLD_RECORDS = 1 << 20,   /* headers of old records in one log */
  FL_LIMIT_REFUSED_RECORDS = 65536, /* live ones of one log that are tried a second time */
  FL_LIMIT_SECOND_QUESTIONS = 1024, /* records of one run that libevtx is asked about */
  FL_LIMIT_SECOND_SECONDS = 4,      /* of processor time that it gets for them */
  FL_LIMIT_SECOND_STARTS = 3,       /* of its process, which dies of hostile records */
  FL_LIMIT_SHAPES = 65536,          /* cached shapes; later ones live as long as their batch */
  FL_LIMIT_LINE = 1 << 16,          /* bytes of one line of text; what follows is left out */
  FL_LIMIT_TEXT_PAGES = 65536,      /* of one section of a text file: 6.5 million texts */
  FL_LIMIT_TEXT_PUBLISHERS = 1024,  /* of one text file; look-ups are linear */
  FL_LIMIT_TEXT_NAMES = 4096,       /* levels, tasks, opcodes or keywords of one publisher */
  FL_LIMIT_TEXT_FILES = 512,        /* text files of one container: each may hold a descriptor */
  FL_LIMIT_HIVE_KEYS = 100000,      /* looked at in one hive; a SYSTEM has 2,000 that matter */
  FL_LIMIT_HIVE_VALUES = 20000,     /* of one key; rules of the firewall are up to 3,000 */
  FL_LIMIT_HIVE_DEPTH = 16,         /* keys in each other, of a hive that is a part of one */
  FL_LIMIT_HIVE_NAME = 64 << 10,    /* bytes of one name; Windows ends at 16,383 characters */
  FL_LIMIT_HIVE_PATH = 16 << 10,    /* bytes of a key with all keys above it */
  FL_LIMIT_HIVE_VALUE = 64 << 10,   /* bytes of a value that are read; longer ones are left */
  FL_LIMIT_HIVE_SECONDS = 20,       /* of processor time; a large one takes one */
  FL_LIMIT_REG_LINES = 4096,        /* of one text in an export; then its quote was forgotten */
  FL_LIMIT_SETTING_BINARY = 1024,   /* bytes of a binary value that are kept */
  FL_LIMIT_RULE_FILE = 1 << 20,     /* bytes of one rule file */
  FL_LIMIT_YARA_FILE = 16 << 20,    /* one YARA source; the largest public set in one file has 13 */
  FL_LIMIT_YARA_TEXT = 64 << 20,    /* all YARA sources together */
  FL_LIMIT_YARA_FILES = 10000,      /* public sets have up to 1,000 */
  FL_LIMIT_YARA_FOLDERS = 16,       /* folders inside each other */
  FL_LIMIT_YARA_COMPILE = 10,       /* seconds of CPU for one file; 1 MiB of strings takes one */
  FL_LIMIT_YARA_LINK = 20,          /* seconds to put all files together */
  FL_LIMIT_YARA_STOPPED = 16,       /* files whose compiling is stopped; then all others are, too */
  FL_LIMIT_YARA_SCAN = 30,          /* seconds for one source, and one more for each MiB */
  FL_LIMIT_YARA_STRIKES = 3,        /* sources on which rules may be stopped; the rest is left */
  FL_LIMIT_YARA_ROWS = 1 << 19,     /* records of a log that is still scanned: 36 MiB */
  FL_LIMIT_YARA_EVENT_RULES = 1000, /* rules of events without a selector */
  FL_LIMIT_YARA_PLACES = 256,       /* listed of one rule and source */
  FL_LIMIT_YARA_FINDS = 65536,      /* of sources and scripts; as many of events */
  FL_LIMIT_RULE_DEPTH = 32,         /* parentheses in a condition */
  FL_LIMIT_YAML_DEPTH = 32,         /* lists and maps in each other; real rules reach 5 */
  FL_LIMIT_YAML_ITEMS = 10000,      /* of one list; the longest real one has 400 */
  FL_LIMIT_YAML_KEYS = 1024,        /* of one map; look-ups are linear */
  FL_LIMIT_YAML_NODES = 200000,     /* of one document */
  FL_LIMIT_SIGMA_VALUES = 20000,    /* that modifiers make of one key; real ones make 400 */
  FL_LIMIT_SIGMA_REGEXES = 32 << 20, /* bytes compiled; SigmaHQ takes 1 MiB */
  FL_LIMIT_SIGMA_PREDS = 4 << 20,    /* different ones of all rules; SigmaHQ has 30,000 */
  FL_LIMIT_SIGMA_CODE = 1 << 20,     /* words of one condition, each use of a search counted */
  FL_LIMIT_REGEX_STEPS = 100000,     /* of one search: a few milliseconds */
  FL_LIMIT_REGEX_STACK = 1 << 20,    /* bytes that a search may take to go back */
  FL_LIMIT_REGEX_SUBJECT = 1 << 16,  /* bytes of a value that are searched */
  FL_LIMIT_SIGMA_FEEDS = 65536,      /* base rules of references of correlations, all together */
  FL_LIMIT_SIGMA_SEEN = 1 << 25,     /* events kept for correlations, most of them on disk */
  FL_LIMIT_SIGMA_GIVEN = 1 << 26,    /* what they give to correlations, one for each reference */
  FL_LIMIT_SIGMA_SCAN = 4096,        /* events looked at for one that should be absent */
  FL_LIMIT_SIGMA_RESULTS = 1 << 18,  /* correlations that held, all together */
  FL_LIMIT_SUPPRESSIONS = 10000,     /* lines of a suppression file: each is compared with rules */
  FL_LIMIT_TAGS = 4 << 20,           /* records of hits that a timeline names: 64 MiB */
  FL_LIMIT_HITS = 262144,            /* of all rules together that are listed */
  FL_LIMIT_HITS_ALIKE = 16384,       /* of one rule that are listed; the rest is counted */
  FL_LIMIT_SEQUENCE_STEPS = 64,
  FL_LIMIT_SEQUENCE_RUNS = 65536,    /* findings of all rules together */
  FL_LIMIT_SEQUENCE_SCAN = 4096,     /* candidates looked at for one step of one run */
  FL_LIMIT_SEQUENCE_KEPT = 256,      /* events cited of one repeated step */
  FL_LIMIT_SEQUENCE_FINDINGS = 8192, /* of one rule; the newest stay */
  FL_LIMIT_SIGHTINGS = 262144,       /* (host, provider, channel, id) that occur in a case */
  FL_LIMIT_BLOCK_EVENTS = 65536,     /* timeline: events of one block */
  FL_LIMIT_BLOCK_BYTES = 64 << 20,   /* timeline: a block when unpacked, and its rows' texts */
  FL_LIMIT_SOURCE_NAME = 16 << 10,   /* so that the rows of one block can repeat it */
  FL_LIMIT_REREAD = 4,               /* timeline: failed tries read at most so many file sizes */
  FL_LIMIT_MSGPACK_DEPTH = 16,
  FL_LIMIT_BLOCK_VALUES = 4 << 20,  /* timeline: values of one block, list items included */
  FL_LIMIT_ROW_VALUES = 1 << 20,    /* timeline: values of one event; later ones are cut */
  FL_LIMIT_ROW_BYTES = 16 << 20,    /* timeline: one event when packed; later values are cut */
  FL_LIMIT_VALUE_BYTES = 2 << 20,   /* timeline: undecoded bytes of one value */
  FL_LIMIT_COVERAGE_HOLES = 4096,   /* of one channel; the nearest ones are merged beyond */
  FL_LIMIT_COVERAGE_RUNS = 65536,   /* runs of record ids kept for one channel */
  FL_LIMIT_GAPS_ALIKE = 16,         /* of one kind and log that are told one by one */
  FL_LIMIT_ALIASES = 64,            /* names and addresses of one machine */
  FL_LIMIT_MACHINES = 1024,         /* computer names of one case; look-ups are linear */
  FL_LIMIT_CASE_FINDS = 512,        /* YARA rules that matched in a case */
  FL_LIMIT_CASE_NOTES = 10000,      /* notes that a case keeps */
  FL_LIMIT_CHANGES = 64,            /* changes before a failure that a case lists */
  FL_LIMIT_INCIDENT_RECORDS = 1024, /* records of crashes; each is compared with each */
  FL_LIMIT_DIALS = 4096,            /* connections of clients that are joined with hosts' */
  FL_LIMIT_LEGS = 65536,            /* connections that a case reconstructs */

  /* Regular expressions. */
  FL_LIMIT_REGEX_PATTERN = 4096,  /* bytes of one; the longest of SigmaHQ has 900 */
  FL_LIMIT_REGEX_NESTED = 64,     /* parentheses in each other */
  FL_LIMIT_REGEX_CODE = 64 << 10, /* bytes of one when compiled */
  FL_LIMIT_REGEX_SET = 4 << 20,   /* of all that one set of rules has */
  FL_LIMIT_REGEX_HEAP_KIB = 16 << 10,

  /* Sequences. */
  FL_LIMIT_RULE_INCLUDES = 8,          /* rule files that include one another */
  FL_LIMIT_SEQUENCE_OPEN = 65536,      /* runs of a stream that wait for what is to come */
  FL_LIMIT_SEQUENCE_OPEN_RULE = 49152, /* of one rule */
  FL_LIMIT_SEQUENCE_HITS = 1 << 18,    /* hits that those runs, and runs to come, may look at */
  FL_LIMIT_SEQUENCE_TRIES = 65536,     /* candidates looked at for a step that asks for several */
  FL_LIMIT_SEQUENCE_REPEATS = 1024,    /* of {m,n}: fewer than are looked at */
  FL_LIMIT_TRACE_RUNS = 16,            /* told when somebody asks why */

  /* Crash dumps. */
  FL_LIMIT_DUMP_STREAMS = 1024, /* of one dump; real ones have 20 */
};

#define FL_LIMIT_UNPACKED_BYTES (UINT64_C(16) << 30) /* all members of one input */
#define FL_LIMIT_SPOOL_MEMORY (UINT64_C(16) << 20)   /* a member beyond it goes to O_TMPFILE */
#define FL_LIMIT_TEXT_MEMORY (UINT64_C(64) << 20)    /* text files of an archive kept in memory */
#define FL_LIMIT_JOB_ARENA ((size_t)256 << 20)
#define FL_LIMIT_SHARED_ARENA ((size_t)128 << 20) /* templates and shapes of a run */
#define FL_LIMIT_KNOWN_ARENA ((size_t)64 << 20)   /* sentences bound to shapes */
#define FL_LIMIT_SOURCE_SHARED ((size_t)24 << 20) /* what one source may add to it */
#define FL_LIMIT_BATCH_ARENA ((size_t)64 << 20)
/* Whether a record is refused hangs on its chunk alone, not on what is kept of others: so all
 * shapes of a chunk's records count, and all definitions, met before or not. */
#define FL_LIMIT_CHUNK_SHAPES ((size_t)128 << 20)    /* memory to build them, for each record */
#define FL_LIMIT_CHUNK_DEFINITIONS ((size_t)2 << 20) /* their bytes; they lie in 64 KiB */
#define FL_LIMIT_CASE_ARENA ((size_t)160 << 20)      /* kept events: about 300,000 */
#define FL_LIMIT_SECOND_MEMORY ((size_t)32 << 20)    /* of libevtx, for one record */
#define FL_LIMIT_SIGMA_PLANS ((size_t)48 << 20)      /* what is known of channels, ids and shapes */
#define FL_LIMIT_HITS_ARENA ((size_t)96 << 20)       /* events and texts of listed hits */
#define FL_LIMIT_SIGMA_MEMORY ((size_t)16 << 20)     /* of an array of events for correlations */
#define FL_LIMIT_SIGMA_WORDS ((size_t)64 << 20)      /* values by which correlations group events */
#define FL_LIMIT_HIVE_BYTES (UINT64_C(1) << 30)      /* of one hive; large ones have 200 MiB */
#define FL_LIMIT_HIVE_ANSWER ((size_t)32 << 20)      /* what is read of one hive */
#define FL_LIMIT_HIVE_MEMORY ((size_t)256 << 20)     /* of libregf, beside the hive itself */
#define FL_LIMIT_YARA_MEMORY (UINT64_C(3) << 30)     /* of the child that compiles */
#define FL_LIMIT_YARA_BUFFER (UINT64_C(64) << 20)    /* larger sources are mapped, not read */
#define FL_LIMIT_YARA_SCRIPT ((size_t)16 << 20)      /* a script put together from its parts */
#define FL_LIMIT_YARA_SCRIPTS ((size_t)64 << 20)     /* scripts of which parts are awaited */
#define FL_LIMIT_HASH_AUTO (UINT64_C(64) << 20)

#endif
