package mls

import (
	"fmt"
	"io"
)

// Values that hold secrets print as a word, whatever the verb, and whether the
// value or a pointer is printed.

const secretText = "mls: secret"

func redact(s fmt.State) { io.WriteString(s, secretText) }

// Format hides the secrets.
func (e Epoch) Format(s fmt.State, _ rune) { redact(s) }

// Format hides the secrets.
func (r Ratchets) Format(s fmt.State, _ rune) { redact(s) }

// Format hides the secrets.
func (s KeyPackageSecrets) Format(f fmt.State, _ rune) { redact(f) }

// Format hides the secrets.
func (s StagedCommit) Format(f fmt.State, _ rune) { redact(f) }

// Format hides the secrets.
func (u UpdateSecret) Format(s fmt.State, _ rune) { redact(s) }

// Format hides the private key.
func (s ECDSASigner) Format(f fmt.State, _ rune) { redact(f) }

// Format hides the keys at hand.
func (p PSKs) Format(s fmt.State, _ rune) { redact(s) }

// Format hides the value.
func (c Change) Format(s fmt.State, _ rune) { redact(s) }

// MarshalText hides the keys at hand from encoders that look at the fields.
func (p PSKs) MarshalText() ([]byte, error) { return []byte(secretText), nil }

// MarshalText hides the value.
func (c Change) MarshalText() ([]byte, error) { return []byte(secretText), nil }
