// Package servers gives tests real PostgreSQL and MariaDB servers: throw-away
// ones that listen on loopback, write durably (fsync is on) and end with the
// test process, however it ends, SIGKILL included. Only tests import it.
//
// [Postgres] and [MariaDB] are the servers of this process, started on first
// use. RETENTIOND_TEST_POSTGRES (a URL for lib/pq) and RETENTIOND_TEST_MARIADB
// (a DSN for go-sql-driver/mysql) name servers that run already and replace
// them; both are administrators' addresses. `make test` starts each server once
// for all packages with the command in with/ and sets these variables.
//
// [NewPostgres] and [NewMariaDB] start a server that belongs to one test, which
// may kill it, start it again, and give it a replica. [NewProxy] stands before
// a server and loses replies to COMMIT; [PgBouncer] pools transactions.
//
// What is not installed is installed with apt-get where the process is root on
// Debian or Ubuntu; elsewhere the test fails and says what to install. Linux only.
package servers
