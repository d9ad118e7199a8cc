using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Hosting.EndToEnd.Tests.Scenarios;

/// <summary>
/// Constant load on one app. Its own reading of HTTP over plain sockets, because a client library repeats what failed on a kept
/// connection, and load generators count failures without saying which and why.
/// </summary>
public sealed class Load : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly Pool _pool;
    private readonly byte[] _request;
    private readonly TimeSpan _pause;
    private readonly int[] _ports;
    private readonly Task _running;
    private readonly long _begun = Stopwatch.GetTimestamp();
    private int _answered;
    private int _turn;
    private long _slowest;

    /// <summary>Begins at once.</summary>
    /// <param name="pool">Where the app is.</param>
    /// <param name="app">The app.</param>
    /// <param name="connections">Each has one request under way.</param>
    /// <param name="pause">Between two requests of a connection.</param>
    /// <param name="ports">Where the gateways are: a connection is made to the next one that takes it, as a balancer does. Null for the stack's one.</param>
    public Load(Pool pool, string app, int connections = 4, TimeSpan pause = default, int[]? ports = null)
    {
        (_pool, _pause, _ports) = (pool, pause, ports ?? [pool.Stack.Port]);
        _request = Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {app}.localhost:{pool.Stack.Port}\r\n\r\n");
        _running = Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(Run)));
    }

    /// <summary>A pace that no server notices.</summary>
    public static Load Gentle(Pool pool, string app) => new(pool, app, connections: 4, TimeSpan.FromMilliseconds(40));

    /// <summary>Requests answered with 200.</summary>
    public int Answered => Volatile.Read(ref _answered);

    /// <summary>What went wrong, a line a request.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    /// <summary>Requests, their rate, and the slowest of them.</summary>
    public string Figures => string.Create(CultureInfo.InvariantCulture,
        $"{Answered} requests answered, {_failures.Count} failed, {Answered / Stopwatch.GetElapsedTime(_begun).TotalSeconds:0}/s, slowest {TimeSpan.FromTicks(Volatile.Read(ref _slowest)).TotalMilliseconds:0} ms");

    /// <summary>Waits until so many were answered from now on.</summary>
    public Task More(int requests) => Until(Answered + requests);

    /// <summary>Waits until so many were answered in all.</summary>
    public Task Until(int requests) => _pool.Await(() => Task.FromResult(Answered >= requests), $"{requests} requests are answered; {Figures}");

    /// <summary>Ends the load and expects that every request was answered.</summary>
    public async Task AllAnswered()
    {
        await DisposeAsync();
        Assert.True(_failures.IsEmpty, $"{Figures}\n{string.Join('\n', _failures.Take(10))}\n{(_failures.IsEmpty ? "" : await _pool.Story())}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_ended.IsCancellationRequested)
            await _ended.CancelAsync();
        await _running;
        _ended.Dispose();
    }

    private async Task Run()
    {
        Connection? connection = null;
        while (!_ended.IsCancellationRequested)
        {
            connection ??= new Connection(_ports, Interlocked.Increment(ref _turn));
            var begun = Stopwatch.GetTimestamp();
            var failure = await connection.Ask(_request);
            Note(failure, Stopwatch.GetElapsedTime(begun));
            if (failure is not null || connection.IsOver)
            {
                connection.Dispose();
                connection = null;
            }
            if (_pause > TimeSpan.Zero || failure is not null)
                await Task.Delay(_pause > TimeSpan.Zero ? _pause : TimeSpan.FromMilliseconds(20));
        }
        connection?.Dispose();
    }

    private void Note(string? failure, TimeSpan took)
    {
        if (failure is not null)
            _failures.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} after {took.TotalMilliseconds:0} ms: {failure}"));
        else
            Interlocked.Increment(ref _answered);
        for (var slowest = Volatile.Read(ref _slowest); took.Ticks > slowest; slowest = Volatile.Read(ref _slowest))
            Interlocked.CompareExchange(ref _slowest, took.Ticks, slowest);
    }

    /// <summary>One connection that is kept as long as answers come.</summary>
    private sealed class Connection(int[] ports, int turn) : IDisposable
    {
        private Socket _socket = NewSocket();
        private readonly byte[] _buffer = new byte[16 * 1024];
        private int _filled;

        /// <summary>Whether the gateway said that it closes the connection.</summary>
        public bool IsOver { get; private set; }

        /// <summary>Sends a request and reads its answer: null for a whole 200, else what went wrong.</summary>
        public async Task<string?> Ask(byte[] request)
        {
            using var deadline = new CancellationTokenSource(Deadline);
            try
            {
                if (!_socket.Connected)
                    await Connect(deadline.Token);
                await _socket.SendAsync(request, deadline.Token);
                var answer = await Read(deadline.Token);
                IsOver = answer.Contains("Connection: close", StringComparison.OrdinalIgnoreCase);
                return answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) ? null : answer.ReplaceLineEndings(" ");
            }
            catch (SocketException broken)
            {
                return broken.Message;
            }
            catch (OperationCanceledException)
            {
                return $"no answer within {Deadline.TotalSeconds:0} s; came so far: {Encoding.ASCII.GetString(_buffer, 0, _filled)}";
            }
        }

        public void Dispose() => _socket.Dispose();

        private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        private async Task Connect(CancellationToken cancellation)
        {
            for (var attempt = 0; ; attempt++)
            {
                try
                {
                    await _socket.ConnectAsync(IPAddress.Loopback, ports[(turn + attempt) % ports.Length], cancellation);
                    return;
                }
                catch (SocketException) when (attempt + 1 < ports.Length)
                {
                    _socket.Dispose();
                    _socket = NewSocket();
                }
            }
        }

        private async Task<string> Read(CancellationToken cancellation)
        {
            _filled = 0;
            while (true)
            {
                var read = await _socket.ReceiveAsync(_buffer.AsMemory(_filled), cancellation);
                if (read == 0)
                    return $"the connection ended after {_filled} bytes of an answer: {Encoding.ASCII.GetString(_buffer, 0, _filled)}";
                _filled += read;
                var text = Encoding.ASCII.GetString(_buffer, 0, _filled);
                if (IsWhole(text))
                    return text;
            }
        }

        private static bool IsWhole(string answer)
        {
            var body = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            if (body < 4)
                return false;
            var length = answer[..body].Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
            return length is null
                ? answer.EndsWith("0\r\n\r\n", StringComparison.Ordinal)
                : answer.Length - body >= int.Parse(length[15..], CultureInfo.InvariantCulture);
        }
    }
}
