using Grpc.Core;
using Grpc.Net.Client;
using Hosting.HostAgent.Configuration;
using Hosting.HostAgent.Elastic;
using Hosting.HostAgent.Logs;
using Hosting.HostAgent.Pressure;
using Hosting.HostAgent.Reconcile;
using Hosting.Protocol;

namespace Hosting.HostAgent.Hub;

/// <summary>The agent's end of the conversation with the control plane: one stream to one silo, to the next one when it breaks, for ever.</summary>
internal sealed class HubClient(
    AgentSettings settings, VmFleet vms, StatusBoard board, ServerWatch watch, ControlPlane control, LogReaders logs,
    PrimaryCheck checks, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan ReportAtLeastEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WelcomeDeadline = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WriteDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(2);
    private const int MaxMessageBytes = 64 * 1024 * 1024;
    private long _lastSession;
    private int _saidVms;
    private string? _lastTrouble;

    /// <summary>Talks until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var failures = 0;
        for (var turn = 0; !cancellation.IsCancellationRequested; turn++)
        {
            var hub = settings.Hubs[turn % settings.Hubs.Count];
            var (welcomed, reason) = await TryTalkAsync(hub, cancellation);
            cancellation.ThrowIfCancellationRequested();
            if (reason is null)
            {
                turn--;
                continue;
            }

            failures = welcomed ? 1 : failures + 1;
            Tell(hub, reason);
            await Task.Delay(HubBackoff.Delay(failures, Random.Shared.NextDouble()), time, cancellation);
        }
    }

    /// <summary>The same trouble again is no news.</summary>
    private void Tell(Uri hub, string reason)
    {
        var trouble = $"{hub} {reason}";
        if (trouble != _lastTrouble)
            log.LogWarning("No stream to the control plane at {Hub}: {Reason}. Containers keep running; trying on", hub, reason);
        _lastTrouble = trouble;
    }

    /// <summary>Without a reason it ended because there is something to say that only a hello does.</summary>
    private async Task<(bool Welcomed, string? Reason)> TryTalkAsync(Uri hub, CancellationToken cancellation)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var welcomed = false;
        try
        {
            using var channel = Open(hub);
            using var call = new AgentHub.AgentHubClient(channel).Connect(cancellationToken: ends.Token);
            var refusal = await GreetAsync(call, ends);
            if (refusal is not null)
                return (false, $"it refuses: {refusal}");
            welcomed = true;
            _lastTrouble = null;
            log.LogInformation("Connected to the control plane at {Hub} with {Count} VMs", hub, vms.Vms.Count);
            return (true, await TalkAsync(call, ends));
        }
        catch (RpcException error)
        {
            return (welcomed, error.Status.Detail.Length > 0 ? error.Status.Detail : error.StatusCode.ToString());
        }
        catch (Exception error) when (error is HttpRequestException or IOException or TimeoutException or OperationCanceledException or InvalidOperationException)
        {
            return (welcomed, error.Message);
        }
    }

    /// <summary>Pings show a hub that is frozen or whose machine is gone; a closed connection shows by itself.</summary>
    private static GrpcChannel Open(Uri hub) => GrpcChannel.ForAddress(hub, new GrpcChannelOptions
    {
        MaxReceiveMessageSize = MaxMessageBytes,
        DisposeHttpClient = true,
        HttpHandler = new SocketsHttpHandler
        {
            ConnectTimeout = KeepAlive,
            KeepAlivePingDelay = KeepAlive,
            KeepAlivePingTimeout = KeepAlive,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            UseProxy = false,
        },
    });

    /// <summary>Says hello and waits for the answer. Null when welcome, else why not.</summary>
    private async Task<string?> GreetAsync(AsyncDuplexStreamingCall<AgentMessage, HubMessage> call, CancellationTokenSource ends)
    {
        ends.CancelAfter(WelcomeDeadline);
        // The clock may stand still or jump back; a session never does.
        _lastSession = Math.Max(_lastSession + 1, time.GetUtcNow().ToUnixTimeMilliseconds());
        _saidVms = vms.Version;
        await call.RequestStream.WriteAsync(AgentMessages.Hello(settings, _lastSession, vms.Vms, board.TakeAll()), ends.Token);
        if (!await call.ResponseStream.MoveNext(ends.Token))
            return "the stream ended";
        ends.CancelAfter(Timeout.InfiniteTimeSpan);
        control.Heard();
        return call.ResponseStream.Current.KindCase switch
        {
            HubMessage.KindOneofCase.Welcome => null,
            HubMessage.KindOneofCase.Refused => call.ResponseStream.Current.Refused.Reason,
            var kind => $"its first word is {kind}",
        };
    }

    private async Task<string?> TalkAsync(AsyncDuplexStreamingCall<AgentMessage, HubMessage> call, CancellationTokenSource ends)
    {
        var listening = ListenAsync(call.ResponseStream, ends.Token);
        var telling = TellAsync(call.RequestStream, ends.Token);
        var first = await Task.WhenAny(listening, telling);
        await ends.CancelAsync();
        await Task.WhenAny(Task.WhenAll(listening, telling));
        await first;
        return first == telling ? null : "the stream ended";
    }

    private async Task ListenAsync(IAsyncStreamReader<HubMessage> hub, CancellationToken cancellation)
    {
        var seen = new HashSet<string>();
        logs.Forget();
        while (await hub.MoveNext(cancellation))
        {
            control.Heard();
            if (hub.Current.KindCase == HubMessage.KindOneofCase.Policy)
                control.Take(hub.Current.Policy);
            else if (hub.Current.KindCase == HubMessage.KindOneofCase.Desired && vms.Find(hub.Current.Desired.Vm) is { } vm)
                vm.Reconciler.Apply(hub.Current.Desired, firstOfStream: seen.Add(vm.Vm.Name));
            else if (hub.Current.KindCase == HubMessage.KindOneofCase.ReadLogs)
                logs.Ask(hub.Current.ReadLogs);
            else if (hub.Current.KindCase == HubMessage.KindOneofCase.CloseLogs)
                logs.Close(hub.Current.CloseLogs.Reader);
            else if (hub.Current.KindCase == HubMessage.KindOneofCase.CheckServer)
                checks.Ask(hub.Current.CheckServer);
            else if (hub.Current.KindCase == HubMessage.KindOneofCase.Refused)
                throw new InvalidOperationException(hub.Current.Refused.Reason);
        }
    }

    /// <summary>Changes of containers go at once, and so does a VM's; measurements as they come. Ends when other VMs are to be told of.</summary>
    private async Task TellAsync(IClientStreamWriter<AgentMessage> hub, CancellationToken cancellation)
    {
        DateTimeOffset? reported = null;
        while (vms.Version == _saidVms)
        {
            await board.WaitAsync(ReportAtLeastEvery, cancellation);
            var changes = board.TakeChanges();
            if (changes.Count > 0)
                await hub.WriteAsync(AgentMessages.Changes(changes), cancellation).WaitAsync(WriteDeadline, time, cancellation);
            var answered = await AnswerAsync(hub, cancellation);
            // News without a changed container, lines of a log or a new measurement is about a VM.
            if (watch.Latest is not { } measured || ((changes.Count > 0 || answered) && measured.At == reported))
                continue;
            reported = measured.At;
            await hub.WriteAsync(AgentMessages.Utilization(measured, vms.Vms), cancellation).WaitAsync(WriteDeadline, time, cancellation);
        }
    }

    /// <summary>One answer a round: however many there are, changes and measurements go between them.</summary>
    private async Task<bool> AnswerAsync(IClientStreamWriter<AgentMessage> hub, CancellationToken cancellation)
    {
        if (checks.TakeAnswer() is { } measured)
            await hub.WriteAsync(new AgentMessage { CheckMeasured = measured }, cancellation).WaitAsync(WriteDeadline, time, cancellation);
        if (logs.TakeAnswer() is not { } answer)
            return false;
        await hub.WriteAsync(new AgentMessage { LogLines = answer }, cancellation).WaitAsync(WriteDeadline, time, cancellation);
        if (logs.HasAnswers)
            board.Wake();
        return true;
    }
}
