package servers

// Tool returns the path of a program that a test needs; where it is missing and we
// may, it is installed from the Debian packages named, without starting a server.
func Tool(program string, packages ...string) (string, error) { return find(program, packages...) }
