using System.Collections.Concurrent;
using Docker.DotNet;
using Hosting.HostAgent.Reconcile;
using Hosting.HostAgent.Vms;
using Hosting.Protocol;

namespace Hosting.HostAgent.Logs;

/// <summary>
/// Answers the control plane's requests for lines of logs: one answer a request, each bounded, all paced together. An answer
/// says where to ask on, so one that is lost costs a repetition and no line.
/// </summary>
internal sealed class LogReaders : IDisposable
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EngineDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenRuns = TimeSpan.FromMilliseconds(500);
    private readonly Func<string, VmSupervisor?> _vms;
    private readonly Action _news;
    private readonly TimeProvider _time;
    private readonly LogPace _pace;
    private readonly LogSlots _slots;
    private readonly SemaphoreSlim _searches = new(4);
    private readonly ConcurrentQueue<LogLines> _answers = new();
    private readonly CancellationTokenSource _ends = new();
    private readonly ITimer _sweep;
    private int _requests;

    /// <param name="vms">Finds a VM by its name.</param>
    /// <param name="news">Called when there is an answer to send.</param>
    /// <param name="time">The clock.</param>
    public LogReaders(Func<string, VmSupervisor?> vms, Action news, TimeProvider time)
    {
        (_vms, _news, _time) = (vms, news, time);
        _pace = new LogPace(LogLimits.CharactersPerSecond, time);
        _slots = new LogSlots(time);
        _sweep = time.CreateTimer(_ => _slots.Sweep(), null, SweepEvery, SweepEvery);
    }

    /// <summary>Takes a request; its answer follows.</summary>
    public void Ask(ReadLogs request)
    {
        if (Interlocked.Increment(ref _requests) <= LogLimits.Requests)
        {
            _ = AnswerAsync(request);
            return;
        }

        Interlocked.Decrement(ref _requests);
        Send(request, Refusal("this server's agent answers too many requests for logs already"));
    }

    /// <summary>A reader that is not needed any more.</summary>
    public void Close(string reader) => _slots.Close(reader);

    /// <summary>The next answer to send; null when there is none.</summary>
    public LogLines? TakeAnswer() => _answers.TryDequeue(out var answer) ? answer : null;

    /// <summary>Whether an answer waits to be sent.</summary>
    public bool HasAnswers => !_answers.IsEmpty;

    /// <summary>The stream to the control plane is a new one: nobody waits for the answers of the old one.</summary>
    public void Forget() => _answers.Clear();

    public void Dispose()
    {
        _ends.Cancel();
        _sweep.Dispose();
        _slots.Dispose();
        _searches.Dispose();
        _ends.Dispose();
    }

    private async Task AnswerAsync(ReadLogs request)
    {
        try
        {
            var answer = await ReadAsync(request, _ends.Token);
            await _pace.WaitAsync(answer.Lines.Sum(line => line.Text.Length), _ends.Token);
            Send(request, answer);
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
        {
            // The agent ends.
        }
        finally
        {
            Interlocked.Decrement(ref _requests);
        }
    }

    private void Send(ReadLogs request, LogLines answer)
    {
        answer.Request = request.Request;
        answer.Next ??= request.From ?? new LogPosition();
        _answers.Enqueue(answer);
        _news();
    }

    private async Task<LogLines> ReadAsync(ReadLogs request, CancellationToken cancellation)
    {
        if (_vms(request.Vm) is not { } vm)
            return Refusal($"this server has no VM {request.Vm}");
        if (vm.Reconciler.Engine is not { } engine)
            return new LogLines { State = LogState.NotYet, Reason = "its VM is not up" };
        try
        {
            return await ReadAsync(request, engine.Log(request.Container), cancellation);
        }
        catch (DockerContainerNotFoundException)
        {
            return Absent(vm.Reconciler, request.Container);
        }
        catch (Exception error) when (error is DockerApiException or HttpRequestException or IOException or TimeoutException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return Refusal($"its engine did not give its log: {error.Message}");
        }
    }

    private async Task<LogLines> ReadAsync(ReadLogs request, EngineLog log, CancellationToken cancellation)
    {
        var from = Place.Of(request.From);
        if (request.HasTail)
            from = await FindTailAsync(log, from, Math.Clamp(request.Tail, 0, LogLimits.MostTail), cancellation);
        if (_slots.Take(request.Reader, from, request.Follow, log) is not { } reader)
            return Refusal($"{LogLimits.Readers} logs of this server are being read already");
        var more = false;
        try
        {
            var wait = TimeSpan.FromMilliseconds(Math.Clamp(request.WaitMillis, 0, LogLimits.LongestWait.TotalMilliseconds));
            var (lines, ended) = await reader.TakeAsync(request.Follow ? wait : EngineDeadline, cancellation);
            more = !ended;
            return ended ? await EndAsync(request, reader, cancellation) : Lines(lines, reader.Next);
        }
        finally
        {
            _slots.PutBack(request.Reader, reader, more);
        }
    }

    /// <summary>A log that is followed goes on when its container is started again; until then it is not asked for at once.</summary>
    private async Task<LogLines> EndAsync(ReadLogs request, LogReader reader, CancellationToken cancellation)
    {
        if (!request.Follow)
            return new LogLines { State = LogState.End, Next = reader.Next.ToMessage() };
        await Task.Delay(BetweenRuns, _time, cancellation);
        return Lines([], reader.Next);
    }

    private async Task<Place> FindTailAsync(EngineLog log, Place from, int tail, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(EngineDeadline);
        await _searches.WaitAsync(deadline.Token);
        try
        {
            return await log.FindTailAsync(from, tail, deadline.Token);
        }
        finally
        {
            _searches.Release();
        }
    }

    private static LogLines Absent(VmReconciler containers, string id) => containers.Wants(id)
        ? new LogLines { State = LogState.NotYet, Reason = "it is not there yet" }
        : new LogLines { State = LogState.Gone, Reason = "it is not there any more, and its log went with it" };

    private static LogLines Refusal(string reason) => new() { State = LogState.Refused, Reason = reason };

    private static LogLines Lines(IReadOnlyList<ParsedLine> lines, Place next)
    {
        var answer = new LogLines { State = LogState.Open, Next = next.ToMessage() };
        answer.Lines.AddRange(lines.Select(line => new LogLine { Position = line.Place.ToMessage(), Error = line.Error, Text = line.Text }));
        return answer;
    }
}
