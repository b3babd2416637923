package mls

import (
	"bytes"
	"testing"

	"kith/internal/wire"
)

// refuseStored is about what comes back from storage damaged.
func refuseStored(t *testing.T, r *refusals) {
	g := testGroup(t, 4)
	r.watch(g...)
	e := g[1].epoch
	pub := e.pub.Marshal()
	cut := len(pub) - 1
	for _, c := range []struct {
		what string
		b    []byte
	}{
		{"public group: nothing", nil},
		{"public group: version 0", append([]byte{0}, pub[1:]...)},
		{"public group: version 3", append([]byte{3}, pub[1:]...)},
		{"public group: closed without a ReInit", append([]byte{2}, pub[1:]...)},
		{"public group: cut off", pub[:cut]},
		{"public group: bytes left over", append(bytes.Clone(pub), 0)},
		{"public group: another tree", append(bytes.Clone(pub[:cut]), pub[cut]^1)},
	} {
		_, err := ParsePublicGroup(c.b)
		r.refused(c.what, err, ReasonStoredRecord)
	}
	stored := func(mend func(*Epoch)) []byte {
		s, private := *e.secrets, append([]nodeKey(nil), e.private...)
		x := &Epoch{e.pub, e.own, private, &s}
		mend(x)
		return x.Marshal()
	}
	good := e.Marshal()
	for _, c := range []struct {
		what string
		b    []byte
	}{
		{"epoch: nothing", nil},
		{"epoch: version 2", append([]byte{2}, good[1:]...)},
		{"epoch: cut off", good[:len(good)-1]},
		{"epoch: bytes left over", append(bytes.Clone(good), 0)},
		{"epoch: leaf outside", stored(func(x *Epoch) { x.own = 1 << 20 })},
		{"epoch: leaf of somebody else", stored(func(x *Epoch) { x.own = 2 })},
		{"epoch: another confirmation key", stored(func(x *Epoch) { x.secrets.confirmation = make([]byte, 32) })},
		{"epoch: a secret cut short", stored(func(x *Epoch) { x.secrets.init = x.secrets.init[1:] })},
		{"epoch: a secret missing", stored(func(x *Epoch) { x.secrets.external = nil })},
		{"epoch: no private keys", stored(func(x *Epoch) { x.private = nil })},
		{"epoch: another leaf key", stored(func(x *Epoch) { x.private[0].private = wire.Random(32) })},
		{"epoch: key of a node outside", stored(func(x *Epoch) { x.private = append(x.private, nodeKey{99, x.private[0].private}) })},
		{"epoch: key of a node off the path", stored(func(x *Epoch) { x.private = append(x.private, nodeKey{6, x.private[0].private}) })},
	} {
		_, err := ParseEpoch(c.b, e.pub)
		r.refused(c.what, err, ReasonStoredRecord)
	}
	secret := g[1].secret.Marshal()
	for what, b := range map[string][]byte{
		"keys: nothing": nil, "keys: version 2": append([]byte{2}, secret[1:]...), "keys: cut off": secret[:len(secret)-1],
	} {
		_, err := ParseKeyPackageSecrets(b)
		r.refused(what, err, ReasonStoredRecord)
	}
	header := Change{Key: headerRecord(), Value: newRatchets(suites[1], 4).record(headerRecord())}
	for what, c := range map[string]Change{
		"ratchets: secret of the wrong length": {Key: nodeRecord(3), Value: make([]byte, 31)},
		"ratchets: node outside":               {Key: nodeRecord(7), Value: make([]byte, 32)},
		"ratchets: leaf outside":               {Key: senderRecord(ratchetID{4, 1}), Value: make([]byte, 36)},
		"ratchets: unknown kind":               {Key: senderRecord(ratchetID{1, 3}), Value: make([]byte, 36)},
		"ratchets: skipped without a ratchet":  {Key: skippedRecord(ratchetID{1, 1}, 0), Value: make([]byte, 28)},
	} {
		_, err := LoadRatchets(1, []Change{header, c})
		r.refused(what, err, ReasonStoredRecord)
	}
	refusePassed(r, header)
	_, err := LoadRatchets(3, []Change{header})
	r.refused("ratchets: another suite", err, ReasonStoredRecord)
	_, err = LoadRatchets(4, []Change{header})
	r.refused("ratchets: a suite that is refused", err, ReasonSuite)
}

// refusePassed is about records of keys that a leap passed.
func refusePassed(r *refusals, header Change) {
	id := ratchetID{1, ratchetApplication}
	at := func(generation uint32) Change {
		return Change{Key: senderRecord(id), Value: (&ratchet{next: generation, secret: make([]byte, 32)}).record()}
	}
	value := func(n int, has ...byte) []byte {
		return append(append(has, make([]byte, 16-len(has))...), make([]byte, 28*n)...)
	}
	passed := func(generation uint32, value []byte) Change { return Change{passedRecord(id, generation), value} }
	good := []Change{header, at(131), passed(0, value(2, 5)), passed(128, value(1, 4))}
	if _, err := LoadRatchets(1, good); err != nil {
		r.t.Fatal(err)
	}
	var full []Change
	for n := range uint32(MaxKept/chunkSpan + 1) {
		full = append(full, passed(n*chunkSpan, value(1, 1)))
	}
	many := append([]Change{header, at(1 << 20)}, full...)
	if _, err := LoadRatchets(1, many[:len(many)-1]); err != nil {
		r.t.Fatal(err)
	}
	between := Change{Key: passedRecord(id, 0), Value: value(1, 1)}
	between.Key[9] = 1
	for what, list := range map[string][]Change{
		"passed: without a ratchet":       {passed(0, value(1, 1))},
		"passed: none":                    {at(131), passed(0, value(0))},
		"passed: fewer than there are":    {at(131), passed(0, value(1, 3))},
		"passed: more than there are":     {at(131), passed(0, value(2, 1))},
		"passed: cut off":                 {at(131), passed(0, value(0)[:15])},
		"passed: not a multiple of 128":   {at(131), between},
		"passed: the ratchet's next":      {at(130), passed(128, value(1, 4))},
		"passed: and skipped, too":        {at(131), passed(0, value(1, 2)), {skippedRecord(id, 1), make([]byte, 28)}},
		"passed: a key with bytes left":   {at(131), {append(passedRecord(id, 0), 0), value(1, 1)}},
		"passed: more than may be kept":   many[1:],
		"passed: one record twice":        {at(131), passed(0, value(1, 1)), passed(0, value(1, 1))},
		"passed: leaf outside":            {at(131), {passedRecord(ratchetID{4, ratchetApplication}, 0), value(1, 1)}},
		"passed: of the other kind":       {at(131), {passedRecord(ratchetID{1, ratchetHandshake}, 0), value(1, 1)}},
		"passed: key and nonce cut off":   {at(131), passed(0, value(1, 1)[:30])},
		"passed: of another suite's size": {at(131), passed(0, append(value(1, 1), make([]byte, 16)...))},
	} {
		_, err := LoadRatchets(1, append([]Change{header}, list...))
		r.refused(what, err, ReasonStoredRecord)
	}
}
