package audit

import _ "embed" // the files for an auditor

// readme tells an auditor what an export is and how to check it without us.
//
//go:embed export/README.txt
var readme []byte

// verifyScript recomputes the root with nothing but Python's standard library.
//
//go:embed export/verify.py
var verifyScript []byte
