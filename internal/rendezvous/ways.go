package rendezvous

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// ways are the nodes of Config.Bootstrap. Those written as numbers are asked first;
// names are resolved only if these do not answer, all at once, and kept for a while.
type ways struct {
	list []string

	mu       sync.Mutex // guards what follows; held while names are resolved
	resolved []netip.AddrPort
	when     time.Time
}

// splitWay takes HOST:PORT apart.
func splitWay(s string) (host string, port uint16, ok bool) {
	host, p, err := net.SplitHostPort(s)
	n, bad := strconv.ParseUint(p, 10, 16)
	return host, uint16(n), err == nil && bad == nil && n > 0 && host != ""
}

// numeric returns the addresses of one family that stand in the list as numbers.
func (w *ways) numeric(ip6 bool) (out []netip.AddrPort) {
	for _, s := range w.list {
		host, port, _ := splitWay(s)
		if a, err := netip.ParseAddr(host); err == nil && a.Unmap().Is6() == ip6 {
			out = append(out, netip.AddrPortFrom(a.Unmap(), port))
		}
	}
	return out
}

// named returns the addresses of one family of the names in the list.
func (w *ways) named(ctx context.Context, ip6 bool) (out []netip.AddrPort) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.when.IsZero() || time.Since(w.when) > resolvedFor {
		all := w.resolve(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if w.resolved = all; len(all) > 0 {
			w.when = time.Now()
		}
	}
	for _, a := range w.resolved {
		if a.Addr().Is6() == ip6 {
			out = append(out, a)
		}
	}
	return out
}

func (w *ways) resolve(ctx context.Context) (out []netip.AddrPort) {
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	each := make([][]netip.AddrPort, len(w.list))
	var wait sync.WaitGroup
	for i, s := range w.list {
		host, port, _ := splitWay(s)
		if _, err := netip.ParseAddr(host); err == nil {
			continue
		}
		wait.Go(func() {
			ips, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
			for _, a := range ips[:min(len(ips), maxResolved)] {
				each[i] = append(each[i], netip.AddrPortFrom(a.Unmap(), port))
			}
		})
	}
	wait.Wait()
	for _, e := range each {
		out = append(out, e...)
	}
	return out
}
