using System.Globalization;
using Docker.DotNet;
using Docker.DotNet.Models;
using Hosting.HostAgent.Logs;
using Hosting.Protocol;

namespace Hosting.HostAgent.Engine;

/// <summary>One VM's container engine, over its Docker API. Touches only containers that carry our label.</summary>
internal sealed class ContainerEngine : IDisposable
{
    private static readonly TimeSpan QuickCall = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan StatsCall = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SlowCall = TimeSpan.FromMinutes(2);
    private readonly DockerClient _docker;
    private readonly string _owner;

    private ContainerEngine(DockerClient docker, string owner) => (_docker, _owner) = (docker, owner);

    /// <summary>What each container made from now on may write; null: as much as it can.</summary>
    public WriteLimit? Writes { get; init; }

    /// <summary>The engine's images.</summary>
    internal IImageOperations Images => _docker.Images;

    /// <summary>The log of one container.</summary>
    internal EngineLog Log(string id) => new(_docker.Containers, id);

    /// <summary>Asks for the API version first and pins it: without one an engine takes its newest, which may differ from what we speak.</summary>
    /// <param name="endpoint"><c>unix://</c>, <c>tcp://</c> or <c>http://</c>.</param>
    /// <param name="owner">Value of the label that makes containers ours.</param>
    /// <param name="cancellation">Deadline of the caller.</param>
    /// <param name="writes">What each container may write; null: as much as it can.</param>
    public static Task<ContainerEngine> ConnectAsync(Uri endpoint, string owner, CancellationToken cancellation, WriteLimit? writes = null) =>
        ConnectAsync(endpoint, owner, () => endpoint.Scheme == "unix" ? new AnonymousCredentials() : new EngineTcp(), cancellation, writes);

    /// <summary>To an engine that is known to speak a version: to tell its own it starts several programs, which takes long where it is emulated.</summary>
    public static async Task<ContainerEngine> ConnectAsync(Uri endpoint, string owner, Credentials credentials, System.Version api, CancellationToken cancellation)
    {
        var docker = new DockerClientConfiguration(endpoint, credentials, SlowCall).CreateClient(api);
        try
        {
            await docker.System.PingAsync(cancellation);
            return new ContainerEngine(docker, owner);
        }
        catch
        {
            docker.Dispose();
            throw;
        }
    }

    /// <param name="endpoint"><c>unix://</c>, <c>tcp://</c> or <c>http://</c>.</param>
    /// <param name="owner">Value of the label that makes containers ours.</param>
    /// <param name="credentials">Makes what shows who we are, for one client each.</param>
    /// <param name="cancellation">Deadline of the caller.</param>
    /// <param name="writes">What each container may write; null: as much as it can.</param>
    /// <inheritdoc cref="ConnectAsync(Uri, string, CancellationToken, WriteLimit)"/>
    public static async Task<ContainerEngine> ConnectAsync(
        Uri endpoint, string owner, Func<Credentials> credentials, CancellationToken cancellation, WriteLimit? writes = null)
    {
        using var configuration = new DockerClientConfiguration(endpoint, credentials(), SlowCall);
        using var unpinned = configuration.CreateClient();
        var version = await unpinned.System.GetVersionAsync(cancellation);
        return new ContainerEngine(new DockerClientConfiguration(endpoint, credentials(), SlowCall).CreateClient(new System.Version(version.APIVersion)), owner) { Writes = writes };
    }

    /// <summary>Whether it answers.</summary>
    public async Task<bool> PingAsync(CancellationToken cancellation) =>
        (await CallAsync(token => _docker.System.PingAsync(token), TimeSpan.FromSeconds(5), cancellation)).Outcome == EngineOutcome.Done;

    /// <summary>Every container of ours, without exit codes and start times.</summary>
    /// <exception cref="HttpRequestException">The engine is gone.</exception>
    public async Task<IReadOnlyList<EngineContainer>> ListAsync(CancellationToken cancellation)
    {
        using var deadline = Deadline.After(QuickCall, cancellation);
        var all = await _docker.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = EngineLabels.Filter(_owner) }, deadline.Token);
        return [.. all.Where(one => one.Labels.ContainsKey(EngineLabels.Container)).Select(FromList)];
    }

    /// <summary>A container of ours, or null in a result that is done when there is none.</summary>
    public async Task<(EngineResult Result, EngineContainer? Container)> InspectAsync(string id, CancellationToken cancellation)
    {
        EngineContainer? found = null;
        var result = await CallAsync(async token => found = FromInspect(await _docker.Containers.InspectContainerAsync(id, token)), QuickCall, cancellation);
        return result.Outcome == EngineOutcome.NoSuchContainer ? (EngineResult.Done, null) : (result, found);
    }

    /// <summary>What a container of ours uses; null when the engine does not say, or the container does not run.</summary>
    public async Task<EngineReading?> ReadUsageAsync(string id, CancellationToken cancellation)
    {
        EngineReading? reading = null;
        var sink = new ReadingSink(stats => reading = EngineReading.Of(stats));
        // One shot: an older engine would look twice, a second apart.
        var once = new ContainerStatsParameters { Stream = false, OneShot = true };
        await CallAsync(token => _docker.Containers.GetContainerStatsAsync(id, once, sink, token), StatsCall, cancellation);
        return reading is { CpuSeconds: > 0 } ? reading : null;
    }

    /// <summary>Makes a container, published at a port of the VM; answers the engine's own id of it too.</summary>
    public async Task<(EngineResult Result, string EngineId)> CreateAsync(DesiredContainer wanted, int port, CancellationToken cancellation)
    {
        var id = "";
        var parameters = EngineLabels.Parameters(wanted, port, _owner, Writes);
        var result = await CallAsync(async token => id = (await _docker.Containers.CreateContainerAsync(parameters, token)).ID, SlowCall, cancellation);
        return (result, id);
    }

    /// <summary>Starts its process.</summary>
    public Task<EngineResult> StartAsync(string id, CancellationToken cancellation) => CallAsync(
        token => _docker.Containers.StartContainerAsync(id, new ContainerStartParameters(), token), SlowCall, cancellation);

    /// <summary>SIGTERM, then SIGKILL after its grace.</summary>
    public Task<EngineResult> StopAsync(EngineContainer container, CancellationToken cancellation) => CallAsync(
        token => _docker.Containers.StopContainerAsync(
            container.Id, new ContainerStopParameters { WaitBeforeKillSeconds = (uint)container.StopGraceSeconds }, token),
        QuickCall + TimeSpan.FromSeconds(container.StopGraceSeconds), cancellation);

    /// <summary>Removes it, running or not.</summary>
    public async Task<EngineResult> RemoveAsync(string id, CancellationToken cancellation)
    {
        var parameters = new ContainerRemoveParameters { Force = true, RemoveVolumes = true };
        var result = await CallAsync(token => _docker.Containers.RemoveContainerAsync(id, parameters, token), QuickCall, cancellation);
        return result.Outcome == EngineOutcome.NoSuchContainer ? EngineResult.Done : result;
    }

    /// <summary>Calls back with the id of every container of ours that ended, ran out of memory or was removed; returns or throws when the stream ends.</summary>
    public Task WatchAsync(Action<string> changed, CancellationToken cancellation)
    {
        var filters = EngineLabels.Filter(_owner);
        filters["type"] = new Dictionary<string, bool> { ["container"] = true };
        filters["event"] = new Dictionary<string, bool> { ["die"] = true, ["oom"] = true, ["destroy"] = true };
        return _docker.System.MonitorEventsAsync(new ContainerEventsParameters { Filters = filters }, new EventSink(changed), cancellation);
    }

    public void Dispose() => _docker.Dispose();

    private static async Task<EngineResult> CallAsync(Func<CancellationToken, Task> call, TimeSpan timeout, CancellationToken cancellation)
    {
        using var deadline = Deadline.After(timeout, cancellation);
        try
        {
            await call(deadline.Token);
            return EngineResult.Done;
        }
        catch (DockerApiException error)
        {
            return EngineErrors.Read(error);
        }
        catch (Exception error)
        {
            // Also what is no answer of an engine at all: one that is ending says anything.
            cancellation.ThrowIfCancellationRequested();
            return new EngineResult(EngineOutcome.Unreachable, $"the engine did not answer: {error.Message}");
        }
    }

    private static EngineContainer FromList(ContainerListResponse one) => EngineLabels.Read(one.Labels) with
    {
        Presence = PresenceOf(one.State, started: true),
    };

    private static EngineContainer FromInspect(ContainerInspectResponse one)
    {
        var started = DateTimeOffset.TryParse(one.State.StartedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) && at.Year > 1;
        return EngineLabels.Read(one.Config.Labels) with
        {
            Presence = PresenceOf(one.State.Status, started),
            EngineId = one.ID,
            ExitCode = one.State.ExitCode,
            OutOfMemory = one.State.OOMKilled,
            StartedAt = started ? at : null,
        };
    }

    private static Presence PresenceOf(string state, bool started) => state switch
    {
        "running" or "paused" or "restarting" => Presence.Running,
        "created" => Presence.Created,
        _ => started ? Presence.Exited : Presence.Created,
    };

    private sealed class ReadingSink(Action<ContainerStatsResponse> read) : IProgress<ContainerStatsResponse>
    {
        public void Report(ContainerStatsResponse value) => read(value);
    }

    private sealed class EventSink(Action<string> changed) : IProgress<Message>
    {
        public void Report(Message value)
        {
            if (value.Actor?.Attributes is { } attributes && attributes.TryGetValue(EngineLabels.Container, out var id))
                changed(id);
        }
    }
}
