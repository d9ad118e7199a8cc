using Grpc.Core;
using Hosting.Domain.Apps;
using Hosting.Protocol;
using Hosting.Regions;
using Hosting.Servers;

namespace Hosting.Silo.Agents;

/// <summary>
/// The control plane's end of every agent's stream. It keeps nothing: what an agent says goes to its server's grain, and a
/// call that fails ends the stream, because the agent's next hello carries all of it again.
/// </summary>
internal sealed class AgentHubService(IGrainFactory grains, IHostApplicationLifetime process, ILogger<AgentHubService> log) : AgentHub.AgentHubBase
{
    private static readonly TimeSpan HelloDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(1);

    // A welcome costs a hundred times what a report does. When all agents come at once, some are welcomed and the others try
    // again; if all were worked on together none would be welcomed in time, and all would come again for ever.
    private const int WelcomesAtOnce = 64;
    private static readonly TimeSpan WelcomeTurn = TimeSpan.FromSeconds(2);
    private static readonly SemaphoreSlim Welcomes = new(WelcomesAtOnce);

    // Measurements that may come too late in a row: the next one says more than the last.
    private const int LateMeasurements = 2;

    public override async Task Connect(
        IAsyncStreamReader<AgentMessage> requestStream, IServerStreamWriter<HubMessage> responseStream, ServerCallContext context)
    {
        if (await ReadHello(requestStream, context.CancellationToken) is not { } hello)
            throw new RpcException(new Status(StatusCode.InvalidArgument, "the first message must be a hello with a region and a server name that are DNS labels"));
        // A silo that stops lets its agents go at once: they are at another one's before it is gone.
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, process.ApplicationStopping);
        var link = new AgentLink();
        var reference = grains.CreateObjectReference<IAgentLink>(link);
        var server = grains.GetGrain<IServerGrain>(GrainKeys.Server(hello.Region, hello.Server));
        try
        {
            await Converse(server, hello, link, reference, requestStream, responseStream, ended);
        }
        finally
        {
            await Leave(server, hello);
            grains.DeleteObjectReference<IAgentLink>(reference);
        }
    }

    private async Task Converse(
        IServerGrain server, Hello hello, AgentLink link, IAgentLink reference,
        IAsyncStreamReader<AgentMessage> incoming, IServerStreamWriter<HubMessage> outgoing, CancellationTokenSource ended)
    {
        if (await GreetInTurn(server, hello, reference, ended.Token) is { } refusal)
        {
            await outgoing.WriteAsync(new HubMessage { Refused = new Refused { Reason = refusal } }, ended.Token);
            return;
        }
        var sending = link.Pump(outgoing, ended.Token);
        var receiving = Receive(server, hello.Session, incoming, ended.Token);
        await Task.WhenAny(sending, receiving);
        await ended.CancelAsync();
        await Task.WhenAll(Quietly(sending), Quietly(receiving));
        if (process.ApplicationStopping.IsCancellationRequested)
            await Quietly(outgoing.WriteAsync(new HubMessage { Refused = new Refused { Reason = "this silo is stopping; another one takes over" } }).WaitAsync(Farewell));
    }

    private async Task<string?> GreetInTurn(IServerGrain server, Hello hello, IAgentLink reference, CancellationToken cancellation)
    {
        if (!await Welcomes.WaitAsync(WelcomeTurn, cancellation))
            return "this silo welcomes many agents just now: try again";
        try
        {
            return await Greet(server, hello, reference);
        }
        finally
        {
            Welcomes.Release();
        }
    }

    private async Task<string?> Greet(IServerGrain server, Hello hello, IAgentLink reference)
    {
        try
        {
            return await server.Connect(AgentMessages.Read(hello), reference);
        }
        catch (Exception failure)
        {
            log.LogWarning("Server {Region}/{Server} cannot be welcomed and will try again: {Reason}", hello.Region, hello.Server, failure.Message);
            return $"the control plane is not ready: {failure.Message}";
        }
    }

    private async Task Receive(IServerGrain server, long session, IAsyncStreamReader<AgentMessage> incoming, CancellationToken cancellation)
    {
        var late = 0;
        try
        {
            await foreach (var message in incoming.ReadAllAsync(cancellation))
            {
                try
                {
                    if (!await Forward(server, session, message))
                        return;
                    late = 0;
                }
                catch (TimeoutException) when (message.KindCase == AgentMessage.KindOneofCase.Utilization && ++late <= LateMeasurements)
                {
                    // Lost, as one on the way is.
                }
            }
        }
        catch (Exception failure) when (failure is not (OperationCanceledException or IOException or RpcException))
        {
            log.LogWarning("A report of {Server} could not be taken; its agent will say it all again: {Reason}",
                server.GetPrimaryKeyString(), failure.Message);
        }
    }

    private static Task<bool> Forward(IServerGrain server, long session, AgentMessage message) => message.KindCase switch
    {
        AgentMessage.KindOneofCase.Utilization => server.Report(session, AgentMessages.Read(message.Utilization)),
        AgentMessage.KindOneofCase.Containers => server.ReportContainers(session, AgentMessages.Read(message.Containers.Containers)),
        AgentMessage.KindOneofCase.LogLines => server.TakeLogs(session, message.LogLines.Request, AgentMessages.Read(message.LogLines)),
        AgentMessage.KindOneofCase.CheckMeasured => server.TakeCheck(session, message.CheckMeasured.Request, AgentMessages.Read(message.CheckMeasured)),
        _ => Task.FromResult(true),
    };

    private async Task Leave(IServerGrain server, Hello hello)
    {
        try
        {
            await server.Disconnect(hello.Session);
        }
        catch (Exception failure)
        {
            log.LogDebug("Server {Region}/{Server} counts as silent from now on: {Reason}", hello.Region, hello.Server, failure.Message);
        }
    }

    private static async Task<Hello?> ReadHello(IAsyncStreamReader<AgentMessage> stream, CancellationToken cancellation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(HelloDeadline);
        if (!await stream.MoveNext(deadline.Token) || stream.Current.Hello is not { } hello)
            return null;
        var names = hello.Vms.Select(vm => vm.Name).Append(hello.Region).Append(hello.Server);
        var capacities = hello.Vms.Select(vm => Math.Min(vm.CpuMillis, vm.MemoryMib)).Append(hello.CpuMillis).Append(hello.MemoryMib);
        return names.All(n => DnsNames.IsLabel(n)) && capacities.All(c => c > 0) ? hello : null;
    }

    // Both ends of a stream fail in many ways when it ends; the agent's next hello says all that matters.
    private static async Task Quietly(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException or RpcException or InvalidOperationException or TimeoutException)
        {
        }
    }
}
