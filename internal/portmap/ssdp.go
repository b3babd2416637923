package portmap

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// ssdpGroup is where gateways hear a search (UPnP Device Architecture 1.1 section
// 1.3.2). The gateway is asked alone too, since some homes drop multicast.
var ssdpGroup = netip.MustParseAddr("239.255.255.250")

// ssdpTargets are what is looked for. A gateway of version 2 answers as 1 as well,
// which not all do.
var ssdpTargets = []string{
	"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
	"urn:schemas-upnp-org:device:InternetGatewayDevice:2",
}

// ssdpSearch is a search as it is sent.
func ssdpSearch(target string) []byte {
	return []byte("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: " + target + "\r\n\r\n")
}

// findDescriptions sends found the places where the gateway says that its
// description is, each once, and returns when nobody answers any more.
func findDescriptions(ctx context.Context, r Route, found func(*url.URL) (enough bool)) error {
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.Local, 0)))
	if err != nil {
		return &refusal{reason: NoAnswer}
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()

	b := make([]byte, 2048)
	var seen []string
	wrong := 0
	for wait := firstWait; ctx.Err() == nil; wait *= 3 {
		for _, target := range ssdpTargets {
			for _, to := range []netip.Addr{ssdpGroup, r.Gateway} { // either may be impossible here
				_, _ = conn.WriteToUDPAddrPort(ssdpSearch(target), netip.AddrPortFrom(to, ssdpPort))
			}
		}
		again := time.Now().Add(wait)
		for ctx.Err() == nil {
			_ = conn.SetReadDeadline(again)
			if ctx.Err() != nil {
				break
			}
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if isTimeout(err) {
				break
			}
			if err != nil { // the gateway has no such port; others may answer yet
				if wrong++; wrong > maxWrong {
					return nil
				}
				continue
			}
			if from.Addr().Unmap() != r.Gateway {
				if wrong++; wrong > maxWrong {
					return nil
				}
				continue
			}
			at, ok := parseSSDP(b[:n], r.Gateway)
			if !ok {
				if wrong++; wrong > maxWrong {
					return nil
				}
				continue
			}
			if slices.Contains(seen, at.String()) {
				continue
			}
			if seen = append(seen, at.String()); len(seen) > maxDescriptions || found(at) {
				return nil
			}
		}
		if len(seen) > 0 {
			return nil
		}
	}
	return nil
}

// parseSSDP reads an answer to a search, and says where the description is.
func parseSSDP(b []byte, gateway netip.Addr) (*url.URL, bool) {
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), nil)
	if err != nil || answer.StatusCode != http.StatusOK {
		return nil, false
	}
	_ = answer.Body.Close()
	return ownURL(nil, answer.Header.Get("Location"), gateway)
}

// ownURL reads a URL, which may be relative to base, and takes it only if it leads
// to the gateway by its address: else whoever answers a search could have us fetch
// from anywhere in the home, or post there.
func ownURL(base *url.URL, text string, gateway netip.Addr) (*url.URL, bool) {
	if text == "" || len(text) > 1024 {
		return nil, false
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, false
	}
	if base != nil {
		u = base.ResolveReference(u)
	}
	at, err := netip.ParseAddr(u.Hostname())
	if err != nil || at.Unmap() != gateway || u.Scheme != "http" || u.User != nil {
		return nil, false
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, false
		}
	}
	u.Fragment = ""
	return u, true
}
