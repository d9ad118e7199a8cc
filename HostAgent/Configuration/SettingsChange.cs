namespace Hosting.HostAgent.Configuration;

/// <summary>What differs between two configurations. Pure.</summary>
internal static class SettingsChange
{
    /// <summary>Sections that can change while the agent runs.</summary>
    private static readonly string[] Live =
        [nameof(AgentOptions.Vms), nameof(AgentOptions.VmCount), nameof(AgentOptions.VmDriver), nameof(AgentOptions.VmImage), nameof(AgentOptions.Reserve)];

    /// <summary>Whether the VMs may be others.</summary>
    public static bool OfVms(IConfiguration before, IConfiguration after) => Between(before, after).Any(IsLive);

    /// <summary>Keys whose change takes another start of the agent, sorted.</summary>
    public static IReadOnlyList<string> OnlyAtStart(IConfiguration before, IConfiguration after) =>
        [.. Between(before, after).Where(key => !IsLive(key)).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Between(IConfiguration before, IConfiguration after)
    {
        var (old, now) = (Values(before), Values(after));
        return old.Keys.Union(now.Keys, StringComparer.OrdinalIgnoreCase).Where(key => old.GetValueOrDefault(key) != now.GetValueOrDefault(key));
    }

    private static Dictionary<string, string?> Values(IConfiguration configuration) => configuration.GetSection(AgentOptions.Section).AsEnumerable()
        .Where(pair => pair.Value is not null).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.OrdinalIgnoreCase);

    private static bool IsLive(string key) => key.Split(':') is [_, var section, ..] && Live.Contains(section, StringComparer.OrdinalIgnoreCase);
}
