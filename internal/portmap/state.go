package portmap

import (
	"net/netip"
	"time"
)

// A Way is a protocol by which a router is asked, the best first.
type Way int

// The ways. Their order is that of preference: PCP alone says when the router
// started again and takes back only what is ours.
const (
	NoWay Way = iota
	PCP
	NATPMP
	UPnP

	ways = int(UPnP)
)

func (w Way) String() string {
	return [...]string{"", "PCP", "NAT-PMP", "UPnP"}[w]
}

// A Reason says why nobody outside comes in by a mapping. What it means in words
// is for whoever shows it.
type Reason string

// The reasons.
const (
	// Works: there is a mapping, at an address that all can reach.
	Works Reason = ""
	// NotAsked: the first round is not over, or this way was not tried.
	NotAsked Reason = "not_asked"
	// NoGateway: this machine has no router in this IP family, thus no way out.
	NoGateway Reason = "no_gateway"
	// NotNeeded: this machine has a public address itself.
	NotNeeded Reason = "not_needed"
	// NoPublicAddress: no IPv6 address that others could reach (IPv6 only).
	NoPublicAddress Reason = "no_public_address"
	// NoAnswer: the router answers to none of the ways; mostly they are switched off.
	NoAnswer Reason = "no_answer"
	// NotAuthorised: the router knows the way and its settings forbid it.
	NotAuthorised Reason = "not_authorised"
	// Refused: the router knows the way and refused for a reason of its own.
	Refused Reason = "refused"
	// Full: the router has no port or no memory left.
	Full Reason = "full"
	// Nonsense: the answer cannot be true.
	Nonsense Reason = "nonsense"
	// NoExternalAddress: the router has none to give. It is not connected itself, or a
	// second router stands in front of it, which many then do not map for.
	NoExternalAddress Reason = "no_external_address"
	// DoubleNAT: the router's external address is that of a home: a second router
	// stands in front of it.
	DoubleNAT Reason = "double_nat"
	// CarrierNAT: the router's external address is one that providers share among
	// customers (RFC 6598, RFC 6333).
	CarrierNAT Reason = "carrier_nat"
)

// A State is what is mapped.
type State struct {
	IPv4 Side
	IPv6 Side // pinholes
}

// A Side is what is mapped in one IP family.
type Side struct {
	Gateway netip.Addr // whom we ask; not valid: there is none
	Way     Way        // by which the mappings were made
	// Where others come in; not valid: they do not. With DoubleNAT and CarrierNAT
	// they are set, and good for those who are behind the same second NAT.
	UDP, TCP netip.AddrPort
	Until    time.Time // when they end if they are not renewed; zero: when taken back
	Reason   Reason
	Tried    [ways]Reason // what became of each way, PCP first
}

// Mapped reports whether the router forwards anything.
func (s Side) Mapped() bool { return s.UDP.IsValid() || s.TCP.IsValid() }

// TriedBy is what became of one way.
func (s Side) TriedBy(w Way) Reason { return s.Tried[w-1] }

// same compares all but the end of the leases.
func (s Side) same(t Side) bool {
	s.Until = t.Until
	return s == t
}

// Addresses that reach nobody outside, beyond what netip knows of.
var (
	carrier = []netip.Prefix{
		netip.MustParsePrefix("100.64.0.0/10"), // RFC 6598
		netip.MustParsePrefix("192.0.0.0/24"),  // RFC 6333 section 5.7
	}
	nowhere = []netip.Prefix{
		netip.MustParsePrefix("192.0.2.0/24"), // documentation: RFC 5737
		netip.MustParsePrefix("240.0.0.0/4"),  // reserved, broadcast
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("2001:db8::/32"),
	}
)

// outside judges an external address.
func outside(a netip.Addr) Reason {
	a = a.Unmap()
	switch {
	case !a.IsValid() || a.IsUnspecified():
		return NoExternalAddress
	case a.IsPrivate(), a.IsLinkLocalUnicast():
		return DoubleNAT
	case !a.IsGlobalUnicast() || within(a, nowhere):
		return Nonsense
	case within(a, carrier):
		return CarrierNAT
	}
	return Works
}

func within(a netip.Addr, prefixes []netip.Prefix) bool {
	for _, p := range prefixes {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// telling orders the reasons of several ways: what a person can do something about
// goes before what only says that a protocol is missing.
var telling = []Reason{NotAuthorised, NoExternalAddress, Full, Refused, Nonsense, NoAnswer}

// worst is the one reason to show, of what became of all ways.
func worst(tried []Reason) Reason {
	for _, r := range telling {
		for _, t := range tried {
			if t == r {
				return r
			}
		}
	}
	return NoAnswer
}
