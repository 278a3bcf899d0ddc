package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// Server answers over HTTP. Its fields are set before use and not changed after.
type Server struct {
	Listen  string // host:port
	Metrics *Metrics
	Look    *Looker
	Alive   func() bool // whether the daemon's loop turns
	Stopped func() bool // whether the kill switch is on; nil: not known
	// Down reports whether the daemon's work found the store not to answer: it may
	// let itself be read while it cannot be written; nil: not known.
	Down func() bool
	Log  *zap.Logger
	// Instance tells this daemon's answers from those of another on the same machine.
	Instance string
	// Again is how long to wait before a port that is taken is tried again; 0: 15 s.
	Again time.Duration
	// Bound is told the address once it listens; nil: nobody.
	Bound func(address string)
}

// InstanceHeader is the header of answers that holds [Server.Instance].
const InstanceHeader = "Retentiond-Instance"

// Limits of one request: those who ask are few and near.
const (
	headerTime  = 5 * time.Second
	requestTime = 10 * time.Second
	idleTime    = 60 * time.Second
	headerBytes = 8 << 10
	closeTime   = 2 * time.Second
	// defaultAgain is how long a port that is taken is left.
	defaultAgain = 15 * time.Second
	// mostSilence is how often it is said at least that the port is taken: after a
	// minute, then ever later.
	mostSilence = time.Hour
)

// Handler is the routes. Only GET and HEAD are answered, and nothing is read of a
// request but its path.
func (s *Server) Handler() http.Handler {
	r := chi.NewRouter()
	r.Use(plain)
	for path, h := range map[string]http.HandlerFunc{"/healthz": s.healthz, "/readyz": s.readyz} {
		r.Get(path, h)
		r.Head(path, h)
	}
	metrics := promhttp.HandlerFor(s.Metrics.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.HTTPErrorOnError, MaxRequestsInFlight: 4, Timeout: requestTime})
	r.Method(http.MethodGet, "/metrics", metrics)
	return r
}

// plain sets what every answer has, and keeps answers out of caches and frames.
func plain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, 0)
		next.ServeHTTP(w, r)
	})
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	alive := s.Alive == nil || s.Alive()
	s.answer(w, alive, map[string]bool{"alive": alive})
}

func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	stopped := s.Stopped != nil && s.Stopped()
	h := healthOf(s.Look.Facts(), stopped, s.Down != nil && s.Down(), s.Look.Now())
	if s.Alive != nil && !s.Alive() {
		h.Ready, h.Because = false, append(h.Because, "the daemon's loop does not turn")
	}
	s.answer(w, h.Ready, h)
}

func (s *Server) answer(w http.ResponseWriter, well bool, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set(InstanceHeader, s.Instance)
	if !well {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.Log.Debug("an answer was not read to its end", zap.Error(err))
	}
}

// Serve answers until ctx is done. A port that is taken does not stop the daemon's
// work: it is tried again until it is free. The log says so, at growing intervals.
func (s *Server) Serve(ctx context.Context) {
	quiet, silence := time.Time{}, cmp.Or(s.Again, defaultAgain)
	for ctx.Err() == nil {
		err := s.once(ctx)
		if ctx.Err() != nil || err == nil {
			return
		}
		if now := s.Look.Now(); !now.Before(quiet) {
			s.Log.Error("health and metrics cannot be asked for here: http.listen; whoever answers there is another process. Free the port, or give this one its own",
				zap.String("listen", s.Listen), zap.Error(err))
			silence = min(4*silence, mostSilence)
			quiet = now.Add(silence)
		}
		t := time.NewTimer(cmp.Or(s.Again, defaultAgain))
		select {
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

// once listens and answers until ctx is done or the listener fails.
func (s *Server) once(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	srv := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: 2 * requestTime,
		IdleTimeout: idleTime, MaxHeaderBytes: headerBytes, ErrorLog: zap.NewStdLog(s.Log.WithOptions(zap.IncreaseLevel(zap.ErrorLevel))),
	}
	if s.Bound != nil {
		s.Bound(l.Addr().String())
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	closing, done := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer done()
	if err := srv.Shutdown(closing); err != nil {
		err = errors.Join(err, srv.Close())
		s.Log.Debug("a connection did not end in time", zap.Error(err))
	}
	return nil
}
