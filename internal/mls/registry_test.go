package mls

import "testing"

// TestAlgorithmsOfTheRegistries compares each suite with its row of RFC 9420
// section 17.1, or of draft-ietf-mls-pq-ciphersuites, by the numbers that HPKE
// has for its algorithms (RFC 9180 section 7, draft-ietf-hpke-pq).
func TestAlgorithmsOfTheRegistries(t *testing.T) {
	want := map[Suite][3]uint16{ // KEM, KDF, AEAD
		SuiteX25519AES128SHA256Ed25519: {0x0020, 1, 1},
		SuiteP256AES128SHA256P256:      {0x0010, 1, 1},
		SuiteX25519ChaChaSHA256Ed25519: {0x0020, 1, 3},
		SuiteP521AES256SHA512P521:      {0x0012, 3, 2},
		SuiteP384AES256SHA384P384:      {0x0011, 2, 2},
		SuiteXWingAES128SHA256Ed25519:  {0x647A, 1, 1},
	}
	if len(want) != len(suites) {
		t.Errorf("%d suites, %d rows", len(suites), len(want))
	}
	for s, c := range suites {
		if got := [3]uint16{c.kem.ID(), c.kdf.ID(), c.aead.ID()}; got != want[s] || c.suite != s {
			t.Errorf("suite %d: %x, want %x", s, got, want[s])
		}
		private, public, err := c.keyPair(make([]byte, c.nh))
		if err != nil || len(public) != c.public || !c.usableKEM(public) {
			t.Errorf("suite %d: public key of %d bytes, %v", s, len(public), err)
		}
		box, err := c.seal(public, "l", nil, []byte("x"))
		if err != nil || len(box.kemOutput) != c.enc || len(box.ciphertext) != 1+c.nt {
			t.Errorf("suite %d: %d and %d bytes, %v", s, len(box.kemOutput), len(box.ciphertext), err)
		}
		if out, err := c.open(private, "l", nil, box); err != nil || string(out) != "x" {
			t.Errorf("suite %d: %q, %v", s, out, err)
		}
		if len(c.zero()) != c.newHash().Size() {
			t.Errorf("suite %d: hash of %d bytes", s, c.newHash().Size())
		}
	}
}
