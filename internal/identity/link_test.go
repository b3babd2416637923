package identity_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kith/internal/identity"
	"kith/internal/wire"
)

const expiry = 0x66554433

func sampleLink() identity.ContactLink {
	return identity.ContactLink{
		Person: wire.PersonID(bytes.Repeat([]byte{0x10}, 32)),
		Secret: [32]byte(bytes.Repeat([]byte{0x11}, 32)),
		Peer:   []byte{0xaa, 0xbb, 0xcc},
		Hosts: []string{
			"/ip4/192.0.2.1/tcp/4001",
			"/ip4/192.0.2.1/udp/4001/quic-v1",
			"/ip6/2001:db8::1/tcp/4001",
			"/ip6/2001:db8::1/udp/4001/quic-v1",
		},
		Expiry: expiry,
	}
}

// linkBytes spells sampleLink by hand, without the checksum.
func linkBytes() []byte {
	v6 := "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
	return []byte("\x01" + strings.Repeat("\x10", 32) + strings.Repeat("\x11", 32) +
		"\x00\x00\x00\x00\x66\x55\x44\x33" + "\x03\xaa\xbb\xcc" + "\x34" +
		"\x01\xc0\x00\x02\x01\x0f\xa1" + "\x02\xc0\x00\x02\x01\x0f\xa1" +
		"\x03" + v6 + "\x0f\xa1" + "\x04" + v6 + "\x0f\xa1")
}

// text makes a link of any bytes, with the right checksum.
func text(b []byte) string {
	sum := wire.Hash(wire.HashLinkCheck, b)
	return "kith:" + base64.RawURLEncoding.EncodeToString(append(bytes.Clone(b), sum[:4]...))
}

func TestLinkBytes(t *testing.T) {
	l := sampleLink()
	got, err := l.Text()
	if err != nil || got != text(linkBytes()) {
		t.Fatalf("got %s\nwant %s\n%v", got, text(linkBytes()), err)
	}
	back, err := identity.ParseContactLink(got, expiry-1)
	if err != nil || !sameLink(back, l) {
		t.Errorf("came back as another link: %v", err)
	}
	wrapped := " \n" + got[:76] + "\r\n" + got[76:] + "\t"
	if back, err = identity.ParseContactLink(wrapped, 0); err != nil || !sameLink(back, l) {
		t.Errorf("wrapped by a mail program: %v", err)
	}
}

func sameLink(a, b identity.ContactLink) bool {
	return a.Person == b.Person && a.Secret == b.Secret && bytes.Equal(a.Peer, b.Peer) &&
		strings.Join(a.Hosts, " ") == strings.Join(b.Hosts, " ") && a.Expiry == b.Expiry
}

func TestLinkSize(t *testing.T) {
	l := sampleLink()
	l.Peer = bytes.Repeat([]byte{0xff}, identity.MaxPeer)
	for i := range l.Hosts {
		l.Hosts[i] = fmt.Sprintf("/ip6/2001:db8:1:2:3:4:5:%x/udp/65535/quic-v1", i+1)
	}
	s, err := l.Text()
	if err != nil || len(s) > identity.MaxLinkText {
		t.Fatalf("the longest link has %d bytes, %v", len(s), err)
	}
	if back, err := identity.ParseContactLink(s, 0); err != nil || !sameLink(back, l) {
		t.Error(err)
	}
	l.Hosts = append(l.Hosts, l.Hosts[0])
	_, err = l.Text()
	checkInput(t, "five hosts", err, identity.ReasonLinkLong)
	l = sampleLink()
	l.Peer = make([]byte, identity.MaxPeer+1)
	_, err = l.Text()
	checkInput(t, "long peer", err, identity.ReasonLinkLong)
	l = identity.ContactLink{Expiry: 1}
	s, err = l.Text()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := identity.ParseContactLink(s, 0); err != nil || !sameLink(back, l) {
		t.Errorf("without peer and hosts: %v", err)
	}
}

func TestEveryChangedCharacterIsNoticed(t *testing.T) {
	good, err := sampleLink().Text()
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for _, c := range []byte{'A', 'b', '3', '-', '_', '.', '=', '+', 0, 0xff} {
			if good[i] == c {
				continue
			}
			bad := good[:i] + string([]byte{c}) + good[i+1:]
			_, err := identity.ParseContactLink(bad, 0)
			var e *identity.InputError
			if !errors.As(err, &e) {
				t.Fatalf("character %d as %q passes", i, c)
			}
			if i >= 5 && e.Reason != identity.ReasonLinkTypo && e.Reason != identity.ReasonLinkShort {
				t.Fatalf("character %d as %q: %v", i, c, err)
			}
		}
	}
}

func TestEveryCutIsNoticed(t *testing.T) {
	good, err := sampleLink().Text()
	if err != nil {
		t.Fatal(err)
	}
	for n := 5; n < len(good); n++ {
		_, err := identity.ParseContactLink(good[:n], 0)
		checkInput(t, fmt.Sprintf("%d characters", n), err, identity.ReasonLinkShort)
	}
}

func TestLinkSaysWhatIsWrong(t *testing.T) {
	good := linkBytes()
	newer := append([]byte{2}, good[1:]...)
	future := append([]byte{9}, []byte("some other form")...)
	port := bytes.Clone(good)
	port[len(port)-1], port[len(port)-2] = 0, 0
	form := bytes.Clone(good)
	form[78] = 5
	mapped := append(bytes.Clone(good[:77]), 19, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4, 0, 80)
	for name, c := range map[string]struct {
		text   string
		now    uint64
		reason identity.Reason
	}{
		"empty":             {"", 0, identity.ReasonLinkText},
		"web address":       {"https://kith:AAAA", 0, identity.ReasonLinkText},
		"bare":              {"kith:", 0, identity.ReasonLinkShort},
		"not base64":        {"kith:" + strings.Repeat("!", 40), 0, identity.ReasonLinkTypo},
		"newer":             {text(newer), 0, identity.ReasonLinkVersion},
		"newer, other form": {text(future), 0, identity.ReasonLinkVersion},
		"too long":          {"kith:" + strings.Repeat("A", 296), 0, identity.ReasonLinkLong},
		"far too long":      {"kith:" + strings.Repeat("A", 1<<20), 0, identity.ReasonLinkLong},
		"expired now":       {text(good), expiry, identity.ReasonLinkExpired},
		"expired long ago":  {text(good), 1 << 62, identity.ReasonLinkExpired},
		"trailing bytes":    {text(append(bytes.Clone(good), 0)), 0, identity.ReasonLinkForm},
		"port 0":            {text(port), 0, identity.ReasonLinkForm},
		"onion, reserved":   {text(form), 0, identity.ReasonLinkForm},
		"IPv4 in IPv6":      {text(mapped), 0, identity.ReasonLinkForm},
	} {
		_, err := identity.ParseContactLink(c.text, c.now)
		checkInput(t, name, err, c.reason)
	}
}

func TestHosts(t *testing.T) {
	for host, ok := range map[string]bool{
		"/ip4/1.2.3.4/tcp/1":                       true,
		"/ip4/255.255.255.255/udp/65535/quic-v1":   true,
		"/ip6/::/tcp/1":                            true,
		"/ip6/::1/tcp/1":                           true,
		"/ip6/1::/tcp/1":                           true,
		"/ip6/1:0:0:2::3/tcp/1":                    true,
		"/ip6/1:2:3:4:5:6:7:8/udp/9/quic-v1":       true,
		"/ip6/1:0:3:4:5:6:7:8/tcp/1":               true,
		"/ip6/1::3:0:0:6:7:8/tcp/1":                false, // the longer or first run is shortened
		"/ip6/1::3:4:5:6:7:8/tcp/1":                false, // one field is not shortened
		"/ip6/1:0:0:4:5:6:7:8/tcp/1":               false,
		"/ip6/1:::2/tcp/1":                         false,
		"/ip6/1::2::3/tcp/1":                       false,
		"/ip6/1:2:3:4:5:6:7:8:9/tcp/1":             false,
		"/ip6/1:2:3:4:5:6:7::8/tcp/1":              false,
		"/ip6/2001:DB8::1/tcp/1":                   false,
		"/ip6/2001:0db8::1/tcp/1":                  false,
		"/ip6/12345::/tcp/1":                       false,
		"/ip6/::ffff:1.2.3.4/tcp/1":                false,
		"/ip6/::ffff:102:304/tcp/1":                false,
		"/ip6/fe80::1%eth0/tcp/1":                  false,
		"/ip6/1.2.3.4/tcp/1":                       false,
		"/ip4/::1/tcp/1":                           false,
		"/ip4/1.2.3/tcp/1":                         false,
		"/ip4/1.2.3.4.5/tcp/1":                     false,
		"/ip4/01.2.3.4/tcp/1":                      false,
		"/ip4/1.2.3.256/tcp/1":                     false,
		"/ip4/1.2.3.4/tcp/0":                       false,
		"/ip4/1.2.3.4/tcp/01":                      false,
		"/ip4/1.2.3.4/tcp/65536":                   false,
		"/ip4/1.2.3.4/tcp/+1":                      false,
		"/ip4/1.2.3.4/tcp/1/":                      false,
		"/ip4/1.2.3.4/udp/1":                       false,
		"/ip4/1.2.3.4/udp/1/quic":                  false,
		"/ip4/1.2.3.4/tcp/1/quic-v1":               false,
		"/dns/example.org/tcp/1":                   false,
		"/onion3/abc:1":                            false,
		"/ip4/1.2.3.4/tcp/1/p2p-circuit/p2p/12D3K": false,
		"/ip4/1.2.3.4/tcp/443/tls/ws":              true,
		"/ip6/::1/tcp/443/tls/ws":                  true,
		"/ip4/1.2.3.4/udp/443/tls/ws":              false,
		"/ip4/1.2.3.4/udp/9/quic-v1/relay/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8":    true,
		"/ip6/::1/tcp/9/relay/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8":                true,
		"/ip4/1.2.3.4/tcp/9/relay/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9":            false, // bits beyond the key
		"/ip4/1.2.3.4/tcp/9/relay/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg":             false,
		"/ip4/1.2.3.4/tcp/9/relay/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8/relay/AAAA": false,
		"/ip4/1.2.3.4/tcp/9/relay/": false,
		"":                          false,
		"/ip":                       false,
	} {
		l := identity.ContactLink{Hosts: []string{host}, Expiry: 1}
		s, err := l.Text()
		if (err == nil) != ok {
			t.Errorf("%q: %v", host, err)
			continue
		}
		if !ok {
			checkInput(t, host, err, identity.ReasonLinkHost)
		} else if back, err := identity.ParseContactLink(s, 0); err != nil || back.Hosts[0] != host {
			t.Errorf("%q came back as %q, %v", host, back.Hosts, err)
		}
	}
}

func TestTagAndRequest(t *testing.T) {
	l, other := sampleLink(), sampleLink()
	other.Secret[0]++
	if l.Tag() == other.Tag() || l.Tag() == ([16]byte{}) {
		t.Error("tags")
	}
	for _, plain := range [][]byte{nil, []byte("hello"), make([]byte, identity.MaxRequest)} {
		box := l.SealRequest(plain)
		if len(box) != 12+len(plain)+16 {
			t.Errorf("box of %d bytes", len(box))
		}
		got, err := l.OpenRequest(box)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("came back as %d bytes, %v", len(got), err)
		}
		if _, err := other.OpenRequest(box); !errors.Is(err, identity.ErrRequest) {
			t.Error("another link opens it")
		}
	}
	box := l.SealRequest([]byte("hello"))
	for i := range box {
		bad := bytes.Clone(box)
		bad[i] ^= 1
		if _, err := l.OpenRequest(bad); !errors.Is(err, identity.ErrRequest) {
			t.Fatalf("a change of byte %d passes", i)
		}
	}
	for n := range box {
		if _, err := l.OpenRequest(box[:n]); !errors.Is(err, identity.ErrRequest) {
			t.Fatalf("%d bytes pass", n)
		}
	}
	if _, err := l.OpenRequest(make([]byte, identity.MaxRequest+29)); !errors.Is(err, identity.ErrRequest) {
		t.Error("a box over the limit")
	}
	if bytes.Equal(l.SealRequest(nil), l.SealRequest(nil)) {
		t.Error("two boxes are alike")
	}
}
