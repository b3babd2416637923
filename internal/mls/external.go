package mls

import "crypto/hpke"

// externalInit is the init secret that an external joiner exported to the
// group (RFC 9420 section 8.3); external is the epoch's external_secret.
func (c *crypto) externalInit(external, kemOutput []byte) ([]byte, error) {
	key, err := c.kem.DeriveKeyPair(external)
	if err != nil {
		return nil, &Error{"8.3", ReasonSecret, err}
	}
	r, err := hpke.NewRecipient(kemOutput, key, c.kdf, c.aead, nil)
	if err != nil {
		return nil, &Error{"8.3", ReasonDecrypt, err}
	}
	out, err := r.Export(labelPrefix+"external init secret", c.nh)
	if err != nil {
		return nil, &Error{"8.3", ReasonDecrypt, err}
	}
	return out, nil
}
