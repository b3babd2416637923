package portmap

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// exchange sends request to the gateway until accept takes an answer. The socket
// is connected, so the system hands over only what comes from the gateway's port.
func (r Route) exchange(ctx context.Context, request []byte, accept func(answer []byte) bool) error {
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	conn, err := r.dial(ctx)
	if err != nil {
		return &refusal{reason: NoAnswer}
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()

	b := make([]byte, maxPCP+1)
	wrong := 0
	for wait := firstWait; ctx.Err() == nil; wait *= 2 {
		if _, err := conn.Write(request); err != nil {
			return &refusal{reason: NoAnswer} // nobody listens there
		}
		again := time.Now().Add(wait)
		for ctx.Err() == nil {
			_ = conn.SetReadDeadline(again)
			if ctx.Err() != nil { // it may have ended before the deadline was set
				break
			}
			n, err := conn.Read(b)
			if isTimeout(err) {
				break
			}
			if err != nil {
				return &refusal{reason: NoAnswer}
			}
			if accept(b[:n]) {
				return nil
			}
			if wrong++; wrong > maxWrong {
				return &refusal{reason: Nonsense}
			}
		}
	}
	if wrong > 0 {
		return &refusal{reason: Nonsense}
	}
	return &refusal{reason: NoAnswer}
}

func (r Route) dial(ctx context.Context) (net.Conn, error) {
	from := net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.Local, 0))
	d := net.Dialer{LocalAddr: from}
	return d.DialContext(ctx, "udp", netip.AddrPortFrom(r.Gateway, pcpPort).String())
}

func isTimeout(err error) bool {
	timed, ok := errors.AsType[net.Error](err)
	return ok && timed.Timeout()
}
