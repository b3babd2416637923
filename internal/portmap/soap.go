package portmap

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// A web speaks HTTP with the gateway and nobody else: no proxy, no redirect, no
// compression, no name that would have to be looked up.
type web struct {
	route  Route
	client *http.Client
}

func newWeb(r Route) *web {
	w := &web{route: r}
	w.client = &http.Client{
		Timeout:       webLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            w.dial,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
			MaxConnsPerHost:        2,
			IdleConnTimeout:        webLimit,
		},
	}
	return w
}

// dial connects to the gateway alone, whatever a URL says.
func (w *web) dial(ctx context.Context, _, to string) (net.Conn, error) {
	at, err := netip.ParseAddrPort(to)
	if err != nil || at.Addr().Unmap() != w.route.Gateway {
		return nil, &refusal{reason: Nonsense}
	}
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(w.route.Local, 0))}
	return d.DialContext(ctx, "tcp", at.String())
}

// do makes one call, and returns its status and the body, if that is not too long.
func (w *web) do(q *http.Request) (int, []byte, error) {
	q.Header.Set("User-Agent", "UPnP/1.1")
	answer, err := w.client.Do(q)
	if err != nil {
		if _, ok := errors.AsType[*refusal](err); ok {
			return 0, nil, err
		}
		return 0, nil, &refusal{reason: NoAnswer}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	if err != nil {
		return 0, nil, &refusal{reason: NoAnswer}
	}
	if len(body) > maxBody {
		return 0, nil, &refusal{reason: Nonsense}
	}
	return answer.StatusCode, body, nil
}

func (w *web) close() { w.client.CloseIdleConnections() }

// get fetches a description.
func (w *web) get(ctx context.Context, from *url.URL) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return nil, &refusal{reason: Nonsense}
	}
	status, body, err := w.do(q)
	if err == nil && status != http.StatusOK {
		err = &refusal{Nonsense, status}
	}
	return body, err
}

// An argument of an action. Their order matters to some routers.
type argument struct{ name, value string }

// A soapFault is what a gateway says in place of an answer (UPnP Device
// Architecture 1.1 section 3.2.2).
type soapFault struct{ code int }

func (f *soapFault) Error() string { return "portmap: the router refused by UPnP" }

// call runs an action of a service, and returns its answer's arguments by name.
func (w *web) call(ctx context.Context, s service, action string, arguments ...argument) (map[string]string, error) {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0"?>` + "\r\n" +
		`<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>` +
		`<u:` + action + ` xmlns:u="` + s.kind + `">`)
	for _, a := range arguments {
		b.WriteString("<" + a.name + ">")
		_ = xml.EscapeText(&b, []byte(a.value)) // a Buffer takes all
		b.WriteString("</" + a.name + ">")
	}
	b.WriteString(`</u:` + action + `></s:Body></s:Envelope>`)
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.control.String(), &b)
	if err != nil {
		return nil, &refusal{reason: Nonsense}
	}
	q.Header.Set("Content-Type", `text/xml; charset="utf-8"`)
	q.Header["SOAPAction"] = []string{`"` + s.kind + `#` + action + `"`} // as it is written there
	status, body, err := w.do(q)
	if err != nil {
		return nil, err
	}
	answer, fault, err := parseSOAP(body, action)
	switch {
	case err == nil && fault != nil:
		return nil, fault
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return nil, &refusal{NotAuthorised, status}
	case err != nil, status != http.StatusOK:
		return nil, &refusal{Nonsense, status}
	}
	return answer, nil
}

// parseSOAP reads the answer to action: its arguments, or the fault.
func parseSOAP(b []byte, action string) (map[string]string, *soapFault, error) {
	var envelope struct {
		XMLName xml.Name `xml:"Envelope"`
		Body    struct {
			Fault *struct {
				Code int `xml:"detail>UPnPError>errorCode"`
			} `xml:"Fault"`
			Answers []struct {
				XMLName   xml.Name
				Arguments []struct {
					XMLName xml.Name
					Value   string `xml:",chardata"`
				} `xml:",any"`
			} `xml:",any"`
		} `xml:"Body"`
	}
	if err := decodeXML(b, &envelope); err != nil {
		return nil, nil, err
	}
	if f := envelope.Body.Fault; f != nil {
		return nil, &soapFault{f.Code}, nil
	}
	for _, answer := range envelope.Body.Answers {
		if answer.XMLName.Local != action+"Response" {
			continue
		}
		out := make(map[string]string, len(answer.Arguments))
		for _, a := range answer.Arguments {
			out[a.XMLName.Local] = strings.TrimSpace(a.Value)
		}
		return out, nil, nil
	}
	return nil, nil, errMalformed
}

// decodeXML reads what is at most maxBody long. Some routers write Latin-1.
func decodeXML(b []byte, into any) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) {
		narrow, err := io.ReadAll(r)
		wide := make([]rune, len(narrow))
		for i, c := range narrow {
			wide[i] = rune(c)
		}
		return strings.NewReader(string(wide)), err
	}
	return d.Decode(into)
}
