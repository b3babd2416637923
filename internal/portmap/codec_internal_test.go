package portmap

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The bytes of docs/spec/portmap.md.
func TestBytes(t *testing.T) {
	home := netip.MustParseAddr("192.168.7.2")
	nonce := [pcpNonce]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"announce", announceRequest(home), "02000000 00000000 00000000000000000000ffffc0a80702"},
		{
			"map", pcpRequest{3600, home, nonce, protocolUDP, 4001, netip.AddrPortFrom(anyOf(home), 4001)}.bytes(),
			"02010000 00000e10 00000000000000000000ffffc0a80702 0102030405060708090a0b0c 11000000 0fa1 0fa1 00000000000000000000ffff00000000",
		},
		{
			"pinhole taken back", pcpRequest{client: netip.MustParseAddr("2a00:7::2"), nonce: nonce, protocol: protocolTCP, internal: 4001}.bytes(),
			"02010000 00000000 2a000007000000000000000000000002 0102030405060708090a0b0c 06000000 0fa1 0000 00000000000000000000000000000000",
		},
		{"NAT-PMP address", pmpAddressRequest(), "0000"},
		{"NAT-PMP map", pmpMapRequest(pmpTCP, 4001, 4002, 3600), "00020000 0fa1 0fa2 00000e10"},
	} {
		if !bytes.Equal(c.got, unhex(t, c.want)) {
			t.Errorf("%s: %x, want %s", c.name, c.got, c.want)
		}
	}

	r, err := parsePCP(unhex(t, "02810000 00000e10 00000064 000000000000000000000000 0102030405060708090a0b0c 11000000 0fa1 0fa2 00000000000000000000ffff01020301"))
	want := pcpResponse{opMap, 0, 3600, 100, nonce, protocolUDP, 4001, netip.MustParseAddrPort("1.2.3.1:4002")}
	if err != nil || r != want {
		t.Errorf("PCP: %+v, %v", r, err)
	}
	p, err := parsePMP(unhex(t, "0082 0000 00000064 0fa1 0fa2 00000e10"))
	if err != nil || p != (pmpResponse{opcode: pmpTCP, epoch: 100, internal: 4001, external: 4002, lifetime: 3600}) {
		t.Errorf("NAT-PMP: %+v, %v", p, err)
	}
	p, err = parsePMP(unhex(t, "0080 0000 00000064 01020301"))
	if err != nil || p.address != netip.MustParseAddr("1.2.3.1") {
		t.Errorf("NAT-PMP address: %+v, %v", p, err)
	}
}

func TestMalformed(t *testing.T) {
	whole := "02810000 00000e10 00000064 000000000000000000000000 0102030405060708090a0b0c 11000000 0fa1 0fa2 00000000000000000000ffff01020301"
	for _, c := range []string{
		"", "02", whole[:len(whole)-2], whole + "00", strings.Replace(whole, "0281", "0181", 1), strings.Replace(whole, "0281", "0201", 1),
		strings.Replace(whole, "0281", "0282", 1), whole + strings.Repeat("00000000", 300),
	} {
		if r, err := parsePCP(unhex(t, c)); err == nil {
			t.Errorf("PCP %q: %+v", c, r)
		}
	}
	for _, c := range []string{"", "0080 0000 000000", "0080 0000 00000064 010203", "0083 0000 00000064 0fa1 0fa2 00000e10", "0182 0000 00000064 0fa1 0fa2 00000e10", "0002 0000 00000064 0fa1 0fa2 00000e10", "0082 0000 00000064 0fa1 0fa2 00000e10 00"} {
		if r, err := parsePMP(unhex(t, c)); err == nil {
			t.Errorf("NAT-PMP %q: %+v", c, r)
		}
	}
}

func TestEpoch(t *testing.T) {
	at := time.Unix(1000, 0)
	for _, c := range []struct {
		epoch uint32
		after time.Duration
		want  bool
	}{
		{100, 0, false},
		{99, 0, false},
		{98, 0, true},
		{160, time.Minute, false},
		{158, time.Minute, false},
		{120, time.Minute, true},
		{400, time.Minute, true},
		{3700, time.Hour, false},
		{3600, time.Hour, false},
		{3000, time.Hour, true},
		{0, time.Hour, true},
	} {
		var clock epochClock
		if clock.restarted(100, at) {
			t.Error("the first says nothing")
		}
		if got := clock.restarted(c.epoch, at.Add(c.after)); got != c.want {
			t.Errorf("100, and %d after %v: %v", c.epoch, c.after, got)
		}
	}
}

func TestOwnURL(t *testing.T) {
	gateway := netip.MustParseAddr("192.168.7.1")
	base, _ := url.Parse("http://192.168.7.1:5000/x/desc.xml")
	for text, want := range map[string]string{
		"http://192.168.7.1:5000/ctl": "http://192.168.7.1:5000/ctl", "/ctl?a=1": "http://192.168.7.1:5000/ctl?a=1", "ctl": "http://192.168.7.1:5000/x/ctl",
		"http://192.168.7.1/": "http://192.168.7.1/", "": "", "http://192.168.7.3/": "", "//192.168.7.3/": "", "https://192.168.7.1/": "", "file:///etc/passwd": "",
		"http://router/": "", "http://u:p@192.168.7.1/": "", "http://192.168.7.1:0/": "", "http://192.168.7.1:99999/": "", "http://192.168.7.1.evil.example/": "",
		"http://192.168.7.1@192.168.7.3/": "", "http://[::ffff:192.168.7.3]/": "", "http://127.0.0.1/": "", "/" + strings.Repeat("x", 2000): "",
	} {
		got, ok := ownURL(base, text, gateway)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzPCP(f *testing.F) {
	f.Add([]byte("\x02\x81\x00\x00\x00\x00\x0e\x10\x00\x00\x00\x64\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x11\x00\x00\x00\x0f\xa1\x0f\xa2\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x01\x02\x03\x01"))
	f.Add([]byte("\x02\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x64\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parsePCP(b)
		if err != nil {
			return
		}
		// What is read is encoded to the same bytes, but for the reserved ones and options.
		again := []byte{pcpVersion, opResponse | r.opcode, b[2], r.result}
		again = binary.BigEndian.AppendUint32(again, r.lifetime)
		again = binary.BigEndian.AppendUint32(again, r.epoch)
		again = append(again, b[12:24]...)
		if r.opcode == opMap {
			again = append(again, r.nonce[:]...)
			again = append(again, r.protocol, b[37], b[38], b[39])
			again = binary.BigEndian.AppendUint16(again, r.internal)
			again = binary.BigEndian.AppendUint16(again, r.external.Port())
			again = append16(again, r.external.Addr())
		}
		if !bytes.Equal(again, b[:len(again)]) {
			t.Errorf("%x is read as %+v, which is %x", b, r, again)
		}
	})
}

func FuzzNATPMP(f *testing.F) {
	f.Add([]byte("\x00\x82\x00\x00\x00\x00\x00\x64\x0f\xa1\x0f\xa2\x00\x00\x0e\x10"))
	f.Add([]byte("\x00\x80\x00\x00\x00\x00\x00\x64\x01\x02\x03\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parsePMP(b)
		if err != nil {
			return
		}
		again := []byte{pmpVersion, opResponse | r.opcode}
		again = binary.BigEndian.AppendUint16(again, r.result)
		again = binary.BigEndian.AppendUint32(again, r.epoch)
		switch {
		case r.result != pmpSuccess: // what follows is passed over
			b = b[:8]
		case r.opcode == pmpAddress:
			again = append(again, r.address.AsSlice()...)
		default:
			again = binary.BigEndian.AppendUint16(again, r.internal)
			again = binary.BigEndian.AppendUint16(again, r.external)
			again = binary.BigEndian.AppendUint32(again, r.lifetime)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%x is read as %+v, which is %x", b, r, again)
		}
	})
}

// Whatever a gateway writes, nobody is led elsewhere.
func FuzzDescription(f *testing.F) {
	f.Add([]byte(`<root><URLBase>http://192.168.7.1:5000</URLBase><device><deviceList><device><serviceList><service><serviceType>` + igdKinds[0] +
		`</serviceType><controlURL>/ctl</controlURL></service></serviceList></device></deviceList></device></root>`))
	f.Add([]byte("HTTP/1.1 200 OK\r\nLocation: http://192.168.7.1:5000/x\r\n\r\n"))
	f.Add([]byte(`<s:Envelope><s:Body><u:AddPortMappingResponse><a>1</a></u:AddPortMappingResponse></s:Body></s:Envelope>`))
	f.Add([]byte(`<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>718</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>`))
	gateway := netip.MustParseAddr("192.168.7.1")
	at, _ := url.Parse("http://192.168.7.1:5000/x")
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseDescription(b, at, gateway)
		if err == nil && (len(list) == 0 || len(list) > maxServices) {
			t.Errorf("%d services", len(list))
		}
		for _, s := range list {
			if s.control.Hostname() != "192.168.7.1" || s.control.Scheme != "http" {
				t.Errorf("led to %v", s.control)
			}
		}
		if u, ok := parseSSDP(b, gateway); ok && u.Hostname() != "192.168.7.1" {
			t.Errorf("led to %v", u)
		}
		answer, fault, err := parseSOAP(b, "AddPortMapping")
		if err == nil && answer == nil && fault == nil {
			t.Error("neither an answer nor a fault")
		}
	})
}
