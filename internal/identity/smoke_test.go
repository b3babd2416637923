package identity_test

import (
	"testing"

	"kith/internal/identity"
	"kith/internal/wire"
)

func TestLinkReturns(t *testing.T) {
	l := identity.ContactLink{Person: wire.PersonID{1}, Secret: [32]byte{2}, Peer: make([]byte, 64), Expiry: 100,
		Hosts: []string{"/ip6/2001:db8::1/udp/4001/quic-v1", "/ip6/2001:db8::1/tcp/4001", "/ip4/1.2.3.4/udp/4001/quic-v1", "/ip6/::/tcp/65535"}}
	text, err := l.Text()
	if err != nil {
		t.Fatal(err)
	}
	got, err := identity.ParseContactLink(text, 99)
	if err != nil || len(text) > identity.MaxLinkText {
		t.Fatal(err, len(text))
	}
	if again, _ := got.Text(); again != text {
		t.Error("link changed")
	}
	d := identity.NewDevice()
	box, err := identity.SealKnock(d.KnockKey(), identity.Knock{Flags: 1})
	if err != nil || len(box) != identity.KnockSize {
		t.Fatal(err, len(box))
	}
	if k, err := d.OpenKnock(box); err != nil || k.Flags != 1 {
		t.Error(err)
	}
	r, err := identity.ParsePhrase(identity.NewPhrase())
	if err != nil || len(r.SealingKey()) != identity.KnockKeySize {
		t.Error(err)
	}
	t.Log(identity.Fingerprint(wire.PersonID{1}, wire.PersonID{2}))
}
