// Package mysql is the connector for MariaDB 10.6 and later and MySQL 8.
//
// The gate is the gate row: batches share it, a hold takes it alone. Inspectors
// work in transactions that the server itself holds read-only. Times are compared
// in the session's zone +00:00, and what a column's values mean is computed here:
// the server's tables of time zones are usually empty, and are never asked.
//
// The server converts freely: a text compared with a number becomes a number,
// and 'abc' becomes 0. Every identifier and key is therefore converted here to
// the column's own type, and what does not convert matches nothing.
package mysql
