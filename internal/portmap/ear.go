package portmap

import (
	"net"
	"net/netip"
	"sync"
)

// Groups to which a gateway says that it started again (RFC 6886 section 3.2.1, RFC
// 6887 section 14.1).
var (
	allHosts4 = net.IPv4(224, 0, 0, 1)
	allHosts6 = net.ParseIP("ff02::1")
)

// An announcement is what a gateway told all.
type announcement struct {
	pcp     bool // else NAT-PMP
	epoch   uint32
	address netip.Addr // external, of NAT-PMP alone
}

// An ear hears announcements of one gateway.
type ear struct {
	conn  *net.UDPConn
	heard chan announcement // closed by the goroutine of the ear
	quit  chan struct{}
	wg    sync.WaitGroup
}

// openEar is nil where the port cannot be had: then a restart shows at the renewal.
func openEar(r Route) *ear {
	device, err := net.InterfaceByName(r.Device)
	if err != nil {
		return nil
	}
	network, group := "udp4", allHosts4
	if r.Gateway.Is6() {
		network, group = "udp6", allHosts6
	}
	conn, err := net.ListenMulticastUDP(network, device, &net.UDPAddr{IP: group, Port: announcePort})
	if err != nil {
		return nil
	}
	e := &ear{conn: conn, heard: make(chan announcement), quit: make(chan struct{})}
	e.wg.Go(func() { e.run(r.Gateway) })
	return e
}

func (e *ear) run(gateway netip.Addr) {
	defer close(e.heard)
	b := make([]byte, maxPCP+1)
	for {
		n, from, err := e.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if from.Addr().Unmap() != gateway || from.Port() != pcpPort {
			continue
		}
		a, ok := parseAnnouncement(b[:n])
		if !ok {
			continue
		}
		select {
		case e.heard <- a:
		case <-e.quit:
			return
		}
	}
}

func (e *ear) close() {
	close(e.quit)
	_ = e.conn.Close()
	e.wg.Wait()
}

// parseAnnouncement reads what an answer is too: one that nobody asked for.
func parseAnnouncement(b []byte) (announcement, bool) {
	if r, err := parsePCP(b); err == nil {
		return announcement{pcp: true, epoch: r.epoch}, r.opcode == opAnnounce && r.result == pcpSuccess
	}
	r, err := parsePMP(b)
	return announcement{epoch: r.epoch, address: r.address}, err == nil && r.opcode == pmpAddress && r.result == pmpSuccess
}
