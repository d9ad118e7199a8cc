using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Hosting.HostAgent.Logs;

/// <summary>One container's log, as its engine keeps it.</summary>
internal sealed class EngineLog(IContainerOperations containers, string id)
{
    /// <summary>Lines before a tail that are read too, so that the places of its first lines are those of every other reading.</summary>
    private const int Context = 64;

    private const int BufferBytes = 16 * 1024;

    /// <summary>The place from which only the newest lines follow.</summary>
    /// <param name="from">No earlier than this.</param>
    /// <param name="tail">How many lines at most.</param>
    /// <param name="cancellation">Deadline of the caller.</param>
    /// <exception cref="DockerContainerNotFoundException">There is no such container.</exception>
    public async Task<Place> FindTailAsync(Place from, int tail, CancellationToken cancellation)
    {
        var parameters = Parameters(from, follow: false);
        parameters.Tail = (tail + Context).ToString(CultureInfo.InvariantCulture);
        var places = new Queue<Place>(Math.Min(tail, 1_024) + 1);
        await foreach (var line in ReadAsync(parameters, cancellation))
        {
            places.Enqueue(line.Place);
            if (places.Count > tail + 1)
                places.Dequeue();
        }

        return places.Count > tail && places.Peek() > from ? places.Peek() : from;
    }

    /// <summary>The newest lines since a time.</summary>
    /// <exception cref="DockerContainerNotFoundException">There is no such container.</exception>
    public async Task<IReadOnlyList<string>> NewestAsync(DateTimeOffset? since, int lines, CancellationToken cancellation)
    {
        var from = new Place((since ?? DateTimeOffset.UnixEpoch).ToUnixTimeMilliseconds() * 1_000_000, 0);
        var parameters = Parameters(from, follow: false);
        parameters.Tail = lines.ToString(CultureInfo.InvariantCulture);
        var newest = new List<string>(lines);
        await foreach (var line in ReadAsync(parameters, cancellation))
        {
            if (line.Place > from)
                newest.Add(line.Text);
        }

        return newest;
    }

    /// <summary>The lines behind a place, and with <paramref name="follow"/> those to come until the container's process ends.</summary>
    /// <exception cref="DockerContainerNotFoundException">There is no such container.</exception>
    public async IAsyncEnumerable<ParsedLine> ReadAsync(Place from, bool follow, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var line in ReadAsync(Parameters(from, follow), cancellation))
        {
            if (line.Place > from)
                yield return line;
        }
    }

    private async IAsyncEnumerable<ParsedLine> ReadAsync(ContainerLogsParameters parameters, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var stream = await containers.GetContainerLogsAsync(id, tty: false, parameters, cancellation);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var parser = new LogParser();
            var lines = new List<ParsedLine>();
            for (var read = await Next(); !read.EOF; read = await Next())
            {
                parser.Take(read.Target == MultiplexedStream.TargetStream.StandardError, buffer.AsSpan(0, read.Count), lines);
                foreach (var line in lines)
                    yield return line;
                lines.Clear();
            }

            parser.Finish(lines);
            foreach (var line in lines)
                yield return line;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        Task<MultiplexedStream.ReadResult> Next() => stream.ReadOutputAsync(buffer, 0, buffer.Length, cancellation);
    }

    private static ContainerLogsParameters Parameters(Place from, bool follow)
    {
        var since = from.At - LogLimits.Disorder.Ticks * TimeSpan.NanosecondsPerTick;
        return new ContainerLogsParameters
        {
            ShowStdout = true, ShowStderr = true, Timestamps = true, Follow = follow,
            Since = since > 0 ? string.Create(CultureInfo.InvariantCulture, $"{since / 1_000_000_000}.{since % 1_000_000_000:000000000}") : null,
        };
    }
}
