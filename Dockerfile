# syntax=docker/dockerfile:1
# A static binary in an empty image: no shell, no package manager, not root.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download && go mod verify
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -buildid= -X main.version=${VERSION}" -o /out/retentiond ./cmd/retentiond \
 && mkdir -p /out/var/lib/retentiond

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="retentiond" \
      org.opencontainers.image.description="Enforces data retention rules, honours litigation holds, proves what it did" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/retentiond /usr/bin/retentiond
COPY --from=build --chown=65532:65532 /out/var/lib/retentiond /var/lib/retentiond
USER 65532:65532
WORKDIR /var/lib/retentiond
VOLUME ["/var/lib/retentiond"]
ENTRYPOINT ["/usr/bin/retentiond"]
CMD ["--config", "/etc/retentiond/retentiond.yaml", "status"]
