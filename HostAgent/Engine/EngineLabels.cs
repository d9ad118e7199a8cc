using System.Globalization;
using Docker.DotNet.Models;
using Hosting.Protocol;

namespace Hosting.HostAgent.Engine;

/// <summary>How a wanted container is written into an engine, and read back from its labels.</summary>
internal static class EngineLabels
{
    /// <summary>Label with the platform's id.</summary>
    public const string Container = "hosting.container";

    private const string App = "hosting.app";
    private const string Revision = "hosting.revision";
    private const string Stack = "hosting.stack";
    private const string Port = "hosting.port";
    private const string Grace = "hosting.stop-grace";
    private const int MinMemoryMiB = 6;
    private const int MaxProcesses = 4096;
    private const int MaxShares = 262_144;
    private const string Scratch = "rw,nosuid,nodev,mode=1777";
    /// <summary>What usual images need to set their files up, take another user, and listen at any port: nothing that reaches beyond the container.</summary>
    private static readonly string[] Capabilities = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID", "SETPCAP"];

    /// <summary>Only what belongs to the owner.</summary>
    public static Dictionary<string, IDictionary<string, bool>> Filter(string owner) =>
        new() { ["label"] = new Dictionary<string, bool> { [$"{Stack}={owner}"] = true } };

    /// <summary>What the labels say.</summary>
    public static EngineContainer Read(IDictionary<string, string> labels) => new()
    {
        Id = labels.TryGetValue(Container, out var id) ? id : "",
        Presence = Presence.Unknown,
        App = labels.TryGetValue(App, out var app) ? app : "",
        Revision = Number(labels, Revision),
        Port = Number(labels, Port),
        StopGraceSeconds = Number(labels, Grace),
    };

    /// <summary>The container to make. CPU is a weight among its siblings, not a limit: idle CPU is there to be used.</summary>
    public static CreateContainerParameters Parameters(DesiredContainer wanted, int port, string owner, WriteLimit? writes)
    {
        var inside = $"{wanted.Port}/tcp";
        return new CreateContainerParameters
        {
            Name = wanted.Id,
            Image = wanted.Image,
            Hostname = wanted.Id,
            Entrypoint = wanted.Command.Count == 0 ? null : wanted.Command,
            Cmd = wanted.Args.Count == 0 ? null : wanted.Args,
            Env = [.. wanted.Env.Select(pair => $"{pair.Key}={pair.Value}")],
            Labels = Labels(wanted, port, owner),
            ExposedPorts = new Dictionary<string, EmptyStruct> { [inside] = default },
            HostConfig = Host(wanted, inside, port, writes),
        };
    }

    private static Dictionary<string, string> Labels(DesiredContainer wanted, int port, string owner) => new()
    {
        [Container] = wanted.Id,
        [App] = wanted.App,
        [Revision] = Text(wanted.Revision),
        [Stack] = owner,
        [Port] = Text(port),
        [Grace] = Text(wanted.StopGraceSeconds),
    };

    private static HostConfig Host(DesiredContainer wanted, string inside, int port, WriteLimit? writes)
    {
        var memory = Math.Max(MinMemoryMiB, wanted.MemoryMib) * 1024L * 1024L;
        return new HostConfig
        {
            Memory = memory,
            MemorySwap = memory,
            CPUShares = Math.Clamp(wanted.CpuMillis * 1024L / 1000, 2, MaxShares),
            OomScoreAdj = 1000,
            BlkioDeviceWriteBps = writes is null ? null : [new ThrottleDevice { Path = writes.Device, Rate = (ulong)writes.BytesPerSecond }],
            SecurityOpt = ["no-new-privileges"],
            CapDrop = ["ALL"],
            CapAdd = [.. Capabilities],
            ReadonlyRootfs = wanted.ReadOnlyRoot,
            Tmpfs = wanted.ReadOnlyRoot ? new Dictionary<string, string> { ["/tmp"] = Scratch, ["/run"] = Scratch } : null,
            PidsLimit = MaxProcesses,
            RestartPolicy = new RestartPolicy { Name = RestartPolicyKind.No },
            PortBindings = new Dictionary<string, IList<PortBinding>> { [inside] = [new PortBinding { HostPort = Text(port) }] },
        };
    }

    private static int Number(IDictionary<string, string> labels, string label) =>
        labels.TryGetValue(label, out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
