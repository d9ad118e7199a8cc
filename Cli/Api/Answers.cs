using System.Text.Json;
using System.Text.Json.Serialization;

namespace Hosting.Cli.Api;

// The parts of the API's answers that tables show. What is missing in an answer stays empty: an older command line
// works with a newer API.

internal sealed record App(string Name, int Revision, string Phase, int Desired, int Ready, string? Url, string? Message, AppSpec? Spec, int? Serving = null);

internal sealed record Revision(
    [property: JsonPropertyName("revision")] int Number, DateTimeOffset? CreatedAt, int? RollbackOf, bool Current, bool RollbackTarget, AppSpec? Spec);

internal sealed record AppSpec(
    string? Image, int CpuMillis, int MemoryMiB, JsonElement? Regions, IReadOnlyList<string>? Hostnames,
    IReadOnlyDictionary<string, string>? Constraints, string? Placement, int MinPerRegion = 0, bool Failover = false, bool ReadOnlyRoot = false);

internal sealed record Container(
    string Id, string App, int Revision, string Region, string Server, string Vm, string State, bool Healthy, string? Endpoint,
    string? Reason, int CpuMillis, int MemoryMiB, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt);

internal sealed record Shares(double Cpu, double Memory, double PrimaryCpu);

internal sealed record Thresholds(double Admit, double Evict);

internal sealed record Server(
    string Id, bool Online, bool Cordoned, bool Admitting, string? NotAdmittingReason, int CpuMillis, int MemoryMiB,
    Shares? Utilization, Thresholds? Thresholds, IReadOnlyList<Vm>? Vms,
    IReadOnlyDictionary<string, string>? Labels, bool Draining, int Containers, bool Suspect, int? CapMillis);

internal sealed record Vm(
    string Id, string Driver, int CpuMillis, int MemoryMiB, int FreeCpuMillis, int FreeMemoryMiB, int Containers, bool Ready, string? Reason,
    bool Cordoned, bool Draining);

/// <summary>A server or a VM, as far as opening and closing it goes.</summary>
internal sealed record Machine(string Id, bool Cordoned, bool Draining, int Containers, bool Admitting, string? NotAdmittingReason, bool Ready, string? Reason);

internal sealed record Region(
    string Name, Thresholds? Thresholds, int? Servers, int? ServersOnline, int? ServersAdmitting, int? Vms, int? Containers, string? Reason,
    int? EvictAfterSeconds, int? LostAfterSeconds, int? CooldownSeconds, int? MovesAtOnce, int? MovesPerMinute);

internal sealed record Event(long Id, DateTimeOffset At, string? Region, string? Server, string? App, string? Container, string Kind, string Message);

internal sealed record LogLine(string Container, DateTimeOffset At, string Stream, string Text);

/// <summary>What a stream of logs says about itself.</summary>
internal sealed record LogNote(string Message);

internal sealed record Explanation(string Region, int Vms, int Matching, IReadOnlyList<RuleCount>? Excluded, IReadOnlyList<Candidate>? Candidates);

internal sealed record RuleCount(string Rule, int Count);

internal sealed record Candidate(
    string Server, string Vm, int FreeCpuMillis, int FreeMemoryMiB, double ProjectedCpu, double ProjectedMemory, double Admit,
    int Replicas, int ReplicasInVm, int? Rank, string? Reason);

/// <summary>A check of whether a server's primary feels its VMs.</summary>
internal sealed record Check(
    string State, DateTimeOffset StartedAt, string? Verdict, string? Reason, CheckFigure? PrimaryWait, CheckFigure? WakeupMillis, int? ContainersCpuMillis);

internal sealed record CheckFigure(double Held, double Free, double More, double Noise, double Allowed, string Verdict);

/// <summary>RFC 9457 problem details.</summary>
internal sealed record Problem(string? Title, int Status, string? Detail, IReadOnlyDictionary<string, string[]>? Errors);

/// <summary>How answers are read; generated, which starts a process sooner than reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(App[]))]
[JsonSerializable(typeof(Revision[]))]
[JsonSerializable(typeof(Container[]))]
[JsonSerializable(typeof(Server[]))]
[JsonSerializable(typeof(Vm[]))]
[JsonSerializable(typeof(Machine))]
[JsonSerializable(typeof(Region[]))]
[JsonSerializable(typeof(Event[]))]
[JsonSerializable(typeof(LogLine[]))]
[JsonSerializable(typeof(LogNote))]
[JsonSerializable(typeof(Explanation[]))]
[JsonSerializable(typeof(Check))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class AnswerJson : JsonSerializerContext;
