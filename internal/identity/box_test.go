package identity_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kith/internal/identity"
	"kith/internal/wire"
)

func someBox() identity.Box {
	b := identity.Box{Peer: []byte{0, 36, 8, 1}, Hosts: []string{"/ip4/192.0.2.7/udp/4040/quic-v1", "/ip6/2001:db8::1/tcp/443"}}
	for i := range b.Access {
		b.Access[i] = byte(i)
	}
	return b
}

// boxBytes spells someBox by hand, without its checksum.
func boxBytes() []byte {
	b := []byte{1}
	for i := range 32 {
		b = append(b, byte(i))
	}
	b = append(b, 4, 0, 36, 8, 1)
	b = append(b, 7+19)
	b = append(b, 2, 192, 0, 2, 7, 0x0f, 0xc8)
	b = append(b, 3, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x01, 0xbb)
	return b
}

func boxText(b []byte) string {
	sum := wire.Hash(wire.HashBoxCheck, b)
	return "kithbox:" + base64.RawURLEncoding.EncodeToString(append(bytes.Clone(b), sum[:4]...))
}

func TestBoxBytes(t *testing.T) {
	text, err := someBox().Text()
	if err != nil || text != boxText(boxBytes()) {
		t.Fatalf("%s, %v; want %s", text, err, boxText(boxBytes()))
	}
	got, err := identity.ParseBox(" " + text[:30] + "\n" + text[30:])
	if err != nil || !reflect.DeepEqual(got, someBox()) {
		t.Fatalf("%#v, %v", got.Hosts, err)
	}
	if s := fmt.Sprintf("%v %+v %#v %x", got, got, got, got); strings.Contains(s, "192.0.2") || strings.Contains(s, "000102") {
		t.Errorf("printed: %s", s)
	}
}

func TestBoxRefused(t *testing.T) {
	good := boxText(boxBytes())
	version := boxBytes()
	version[0] = 2
	noHost := append(boxBytes()[:38:38], 0)
	for _, c := range []struct {
		text string
		want identity.Reason
	}{
		{"", identity.ReasonBoxText},
		{"kith:" + good[8:], identity.ReasonBoxText},
		{good[:len(good)-5], identity.ReasonBoxTypo},
		{good[:40] + "A" + good[41:], identity.ReasonBoxTypo},
		{good + "!", identity.ReasonBoxTypo},
		{boxText(version), identity.ReasonBoxVersion},
		{boxText(noHost), identity.ReasonBoxForm},
		{boxText(append(boxBytes(), 0)), identity.ReasonBoxForm},
		{strings.Repeat("k", 5000), identity.ReasonBoxForm},
	} {
		_, err := identity.ParseBox(c.text)
		if e, ok := errors.AsType[*identity.InputError](err); !ok || e.Reason != c.want {
			t.Errorf("%.50s: %v, want %s", c.text, err, c.want)
		}
	}
	for _, b := range []identity.Box{{}, {Peer: []byte{1}}, {Peer: []byte{1}, Hosts: []string{"/dns/a/tcp/1"}}, {Peer: make([]byte, 65), Hosts: someBox().Hosts}} {
		if text, err := b.Text(); err == nil {
			t.Errorf("made %s", text)
		}
	}
}

// TestBoxLongest: the longest address fits into what ParseBox takes.
func TestBoxLongest(t *testing.T) {
	b := identity.Box{Peer: bytes.Repeat([]byte{255}, identity.MaxPeer)}
	for i := range identity.MaxLinkHosts {
		b.Hosts = append(b.Hosts, fmt.Sprintf("/ip6/2001:db8::%d/udp/65535/quic-v1", i+1))
	}
	text, err := b.Text()
	if err != nil || len(text) > identity.MaxBoxText {
		t.Fatalf("%d characters, %v", len(text), err)
	}
	if _, err := identity.ParseBox(text); err != nil {
		t.Error(err)
	}
}

func FuzzParseBox(f *testing.F) {
	f.Add([]byte("kithbox:AAAA"))
	f.Add(boxBytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range []string{string(b), boxText(b)} {
			box, err := identity.ParseBox(s)
			if err != nil {
				if !errors.As(err, new(*identity.InputError)) {
					t.Fatalf("untyped refusal %v", err)
				}
				continue
			}
			again, err := box.Text()
			if err != nil || again != strings.Join(strings.Fields(s), "") {
				t.Fatalf("%q came back as %q, %v", s, again, err)
			}
		}
	})
}
