package node

import "kith/internal/wire"

// RecodeLinkWord reads what two devices say while one is linked, and writes it again.
func RecodeLinkWord(b []byte) ([]byte, error) {
	m, err := parseLinkWord(b)
	if err != nil {
		return nil, err
	}
	return m.bytes(), nil
}

// RecodeShared reads records that own devices tell each other, with the values of the kinds
// that are known, and writes them again.
func RecodeShared(b []byte) ([]byte, error) {
	list, err := readShared(b, maxSharedTold)
	if err != nil {
		return nil, err
	}
	var w wire.Writer
	for _, s := range list {
		if s.value, err = recodeValue(s); err != nil {
			return nil, err
		}
		s.write(&w)
	}
	return w.Bytes(), nil
}

func recodeValue(s sharedRecord) ([]byte, error) {
	switch {
	case len(s.value) == 0:
	case s.kind == sharedFriend:
		c, err := parseSharedContact(s.value)
		return c.bytes(), err
	case s.kind == sharedDevice:
		d, err := parseSharedName(s.value)
		return d.bytes(), err
	case s.kind == sharedDraft:
		d, err := parseDraft(s.value)
		return draftBytes(d), err
	case s.kind == sharedRead:
		r := wire.NewReader(s.value)
		var w wire.Writer
		writePlace(&w, readPlace(r))
		return w.Bytes(), r.Done()
	}
	return s.value, nil
}

// LinkDigits are those that two devices show.
func LinkDigits(maker wire.Member, makerNonce [32]byte, joiner wire.DeviceID, nonce [32]byte, knock []byte) string {
	return linkDigits(maker, makerNonce, joiner, nonce, knock)
}
