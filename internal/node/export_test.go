package node

// Hello is what a node says of itself to a friend.
func Hello(peer []byte, hosts []string, left uint8) []byte { return hello{peer, hosts, left}.bytes() }

// Packages is how key packages are given.
func Packages(list ...[]byte) []byte { return packages(list).bytes() }

// RecodeOwn parses what a friend says and encodes it again.
func RecodeOwn(b []byte) ([]byte, error) {
	said, err := parseOwn(b)
	if err != nil {
		return nil, err
	}
	return said.bytes(), nil
}
