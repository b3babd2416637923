package api

import (
	"io"
	"net/http"
	"time"
)

// patient ends a connection whose client leaves what it is sent unread, or its
// request unsent, for too long: neither may hold a goroutine. The server's own
// ReadTimeout and WriteTimeout would end streams as well.
func patient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		r.Body = &patientBody{r.Body, c}
		next.ServeHTTP(&patientWriter{w, c}, r)
	})
}

type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (w *patientWriter) Write(b []byte) (int, error) {
	// Without a deadline a write still ends, with the connection.
	_ = w.control.SetWriteDeadline(time.Now().Add(writePatience))
	return w.ResponseWriter.Write(b)
}

func (w *patientWriter) Flush() {
	_ = w.control.SetWriteDeadline(time.Now().Add(writePatience))
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
