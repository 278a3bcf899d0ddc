package mysql

import (
	"net/url"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/retentiond/retentiond/retention"
)

// parse reads a DSN as the driver writes it, user:password@tcp(host:port)/database,
// or as a URL, mysql://user:password@host:port/database (mariadb:// too). What it
// says of the session is replaced by what we rely on. No error repeats it.
func parse(dsn string) (*mysql.Config, error) {
	bad := refusal(retention.RefuseSourceDown, "the dsn is neither user:password@tcp(host:port)/database nor mysql://user:password@host:port/database")
	var c *mysql.Config
	var err error
	switch scheme, _, isURL := strings.Cut(dsn, "://"); {
	case isURL && (scheme == "mysql" || scheme == "mariadb"):
		c, err = parseURL(dsn)
	case isURL && !strings.ContainsAny(scheme, "@:/"):
		return nil, bad
	default:
		c, err = mysql.ParseDSN(dsn)
	}
	switch {
	case err != nil:
		return nil, bad
	case c.DBName == "":
		return nil, refusal(retention.RefuseSourceDown, "the dsn names no database: write it after the host, as in …tcp(host:3306)/database")
	}
	return ours(c), nil
}

func parseURL(dsn string) (*mysql.Config, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	c, err := mysql.ParseDSN("/?" + u.RawQuery)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	c.Net, c.Addr, c.User, c.DBName = "tcp", hostPort(u.Hostname(), port), u.User.Username(), strings.Trim(u.Path, "/")
	c.Passwd, _ = u.User.Password()
	return c, nil
}

func hostPort(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + port
}

// ours settles what we rely on: times as text, one statement a text, arguments
// apart from it, and rows that an UPDATE finds counted as done although they had
// their form.
func ours(c *mysql.Config) *mysql.Config {
	c.ParseTime, c.MultiStatements, c.InterpolateParams, c.ClientFoundRows = false, false, false, true
	c.Params, c.Logger, c.RejectReadOnly = nil, &mysql.NopLogger{}, false
	c.Collation = ""
	_ = c.Apply(mysql.Charset("utf8mb4", "utf8mb4_general_ci"))
	if c.Timeout == 0 {
		c.Timeout = dialWait
	}
	return c
}
