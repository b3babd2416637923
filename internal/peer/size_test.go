package peer_test

import (
	"strings"
	"testing"
	"time"

	"kith/internal/chain"
	"kith/internal/group"
	"kith/internal/identity"
	"kith/internal/peer"
)

// TestFullCard: a card with all the post-quantum key packages and hosts that it
// may have leaves room for the headers of years.
func TestFullCard(t *testing.T) {
	device := identity.NewDevice()
	recovery, err := identity.ParsePhrase(identity.NewPhrase())
	if err != nil {
		t.Fatal(err)
	}
	now := uint64(time.Now().UnixMilli())
	self, _, err := group.NewPerson(group.NewPersonParams{Device: device, Name: "Ann", Recovery: chain.RecoveryKeys{
		Key: [32]byte(recovery.RecoveryKey()), Sealing: [chain.KnockKeySize]byte(recovery.SealingKey()),
	}}, now)
	if err != nil {
		t.Fatal(err)
	}
	c := peer.Card{Headers: self.Headers, Info: make([]byte, identity.MaxInfo), KnockKey: device.KnockKey(), Peer: make([]byte, 64)}
	for range peer.MaxKeyPackages {
		k, err := self.NewPackage(group.NewSuite, now)
		if err != nil {
			t.Fatal(err)
		}
		c.KeyPackages = append(c.KeyPackages, k.Public)
		c.Hosts = append(c.Hosts, strings.Repeat("h", 126))
	}
	b, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	// A block that renews the last-resort packages has a header of 470 bytes.
	const renewal = 470
	years := (peer.MaxCard - len(b)) / renewal / 12
	t.Logf("a full card has %d of %d bytes, a key package %d, a first header %d; %d years of monthly renewals fit",
		len(b), peer.MaxCard, len(c.KeyPackages[0]), len(c.Headers[0]), years)
	if years < 5 {
		t.Errorf("%d years of headers fit, want 5", years)
	}
}
