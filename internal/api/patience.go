package api

import (
	"io"
	"net/http"
	"time"
)

// patient ends a connection whose client leaves what it is sent unread, or its
// request unsent, for too long: neither may hold a goroutine. The server's own
// ReadTimeout and WriteTimeout would end streams as well.
//
// Once quit is closed, a write that is stuck has lastPatience left.
func patient(quit <-chan struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		r.Body = &patientBody{r.Body, c}
		pw := &patientWriter{w, c, quit}
		done, watched := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(watched)
			select {
			case <-quit:
				pw.extend()
			case <-done:
			}
		}()
		defer func() { close(done); <-watched }()
		next.ServeHTTP(pw, r)
	})
}

type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	quit    <-chan struct{}
}

// extend gives the next write its time. Without a deadline, which a connection
// may not have, a write still ends with it.
func (w *patientWriter) extend() {
	patience := writePatience
	select {
	case <-w.quit:
		patience = lastPatience
	default:
	}
	_ = w.control.SetWriteDeadline(time.Now().Add(patience))
}

func (w *patientWriter) Write(b []byte) (int, error) {
	w.extend()
	return w.ResponseWriter.Write(b)
}

func (w *patientWriter) Flush() {
	w.extend()
	_ = w.control.Flush() // the next Write fails where this one did
}

func (w *patientWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *patientBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(bodyPatience))
	n, err := b.ReadCloser.Read(p)
	// After the body the server reads on to notice that the client went away,
	// which has no deadline.
	_ = b.control.SetReadDeadline(time.Time{})
	return n, err
}
