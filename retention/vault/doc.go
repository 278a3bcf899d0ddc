// Package vault keeps archived rows as sealed segments (L9): JSON lines that lose
// nothing of any column type, compressed with zstd, encrypted with age to
// recipients whose identities this program never has, beside a manifest signed with
// the audit log's key.
//
// A segment NAME is two files, or objects, written once and never changed:
//
//	NAME.jsonl.zst.age   age -d -i IDENTITY | zstd -d   are the rows
//	NAME.manifest        what it holds, without a value of a row
//
// The manifest is written last: without it a segment does not exist. Rows of one
// segment end together: it is cut by the month (or day, or hour, where archives are
// short) of the rule's clock.
package vault
