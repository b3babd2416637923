package identity

import (
	"strings"

	"github.com/tyler-smith/go-bip39"

	"kith/internal/wire"
)

// entropySize is what 24 words hold, in bytes.
const entropySize = 32

// NewPhrase returns a new phrase of 24 words with spaces between them. Whoever
// reads it can act as the person.
func NewPhrase() string {
	words, err := bip39.NewMnemonic(wire.Random(entropySize))
	if err != nil {
		panic("identity: phrase: " + err.Error())
	}
	return words
}

// entropy returns the bits of a phrase. Upper case and any white space are
// taken as they come from a keyboard.
func entropy(words string) ([]byte, error) {
	list := strings.Fields(strings.ToLower(words))
	if len(list) != PhraseWords {
		return nil, refuse(ReasonPhraseCount)
	}
	for i, w := range list {
		if _, ok := bip39.GetWordIndex(w); !ok {
			return nil, &InputError{Reason: ReasonPhraseWord, Word: i + 1}
		}
	}
	bits, err := bip39.EntropyFromMnemonic(strings.Join(list, " "))
	if err != nil || len(bits) != entropySize {
		return nil, refuse(ReasonPhraseSum)
	}
	return bits, nil
}
