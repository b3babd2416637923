package mailbox

import (
	"crypto/subtle"
	"net/netip"
	"strings"
	"sync"
	"time"

	"kith/internal/link"
)

// An allowance is something that a source may do so often in a time.
type allowance int

const (
	allowMake allowance = iota
	allowItem
	allowFailure
	allowancesCount
)

// allowed is how much at once, and in which time that comes back.
var allowed = [allowancesCount]struct {
	most float64
	in   time.Duration
}{
	allowMake:    {makesPerHour, time.Hour},
	allowItem:    {itemsPerMinute, time.Minute},
	allowFailure: {failuresPerMinute, time.Minute},
}

// allowances are those of all sources. The zero value is ready. They lie in memory
// alone, and are forgotten an hour after the source's last act.
type allowances struct {
	mu sync.Mutex // guards of
	of map[string]*left
}

// left is what is left of a source's allowances, as of a moment.
type left struct {
	at time.Time
	of [allowancesCount]float64
}

// take takes n of an allowance, or nothing if there is less. The source "" has no
// bounds.
func (a *allowances) take(source string, what allowance, n int, now time.Time) bool {
	if source == "" {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of == nil {
		a.of = make(map[string]*left)
	}
	l := a.of[source]
	if l == nil && len(a.of) >= maxSources {
		source = "others"
		l = a.of[source]
	}
	if l == nil {
		l = &left{at: now}
		for i, f := range allowed {
			l.of[i] = f.most
		}
		a.of[source] = l
	}
	passed := max(0, now.Sub(l.at))
	l.at = now
	for i, f := range allowed {
		l.of[i] = min(f.most, l.of[i]+f.most*float64(passed)/float64(f.in))
	}
	if l.of[what] < float64(n) {
		return false
	}
	l.of[what] -= float64(n)
	return true
}

// forget drops the sources that were silent for so long that nothing is lost.
func (a *allowances) forget(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for source, l := range a.of {
		if now.Sub(l.at) > sourceLife {
			delete(a.of, source)
		}
	}
}

// sourceOf is the source of an accepted connection: its IPv4 address or IPv6 /64.
// Loopback, where a proxy may stand for everybody, and networks in memory have
// none.
func sourceOf(from link.Address) string {
	if len(from.Hosts) == 0 {
		return "others"
	}
	parts := strings.Split(from.Hosts[0], "/")
	if len(parts) < 3 || parts[1] != "ip4" && parts[1] != "ip6" {
		return ""
	}
	ip, err := netip.ParseAddr(parts[2])
	if err != nil {
		return "others"
	}
	if ip = ip.Unmap(); ip.IsLoopback() {
		return ""
	}
	if ip.Is6() {
		p, _ := ip.WithZone("").Prefix(64) // 64 is always a length of an IPv6 prefix
		return p.String()
	}
	return ip.String()
}

// same compares secrets in constant time.
func same(a, b [32]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
