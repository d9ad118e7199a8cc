using System.Xml.Linq;

namespace Hosting.Architecture.Tests;

/// <summary>References run one way: GrainInterfaces, Domain, Grains, Silo. The gateway, the agent and the command line see less.</summary>
public class ReferenceTests
{
    private static readonly string Root = FindRoot();

    [Theory]
    [InlineData("GrainInterfaces/GrainInterfaces.csproj")]
    [InlineData("Grains/Domain/Domain.csproj", "GrainInterfaces")]
    [InlineData("Grains/Grains.csproj", "Domain")]
    [InlineData("Silo/Silo.csproj", "Grains", "Protocol")]
    [InlineData("Gateway/Gateway.csproj", "GrainInterfaces")]
    [InlineData("HostAgent/HostAgent.csproj", "Protocol")]
    [InlineData("HostAgent/Protocol/Protocol.csproj")]
    [InlineData("Cli/Cli.csproj")]
    public void A_project_references_these_and_no_others(string project, params string[] allowed) =>
        Assert.Equal(allowed.Order(), References(project, "ProjectReference").Select(p => Path.GetFileNameWithoutExtension(p.Replace('\\', '/'))).Order());

    [Theory]
    [InlineData("HostAgent/HostAgent.csproj")]
    [InlineData("HostAgent/Protocol/Protocol.csproj")]
    [InlineData("Cli/Cli.csproj")]
    public void The_agent_and_the_command_line_see_no_Orleans(string project) =>
        Assert.DoesNotContain(References(project, "PackageReference"), p => p.StartsWith("Microsoft.Orleans", StringComparison.Ordinal));

    [Fact]
    public void Every_version_is_pinned_centrally() =>
        Assert.All(Projects(), project => Assert.DoesNotContain(
            XDocument.Load(project).Descendants("PackageReference"), p => p.Attribute("Version") is not null));

    private static IEnumerable<string> Projects() =>
        Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories);

    private static List<string> References(string project, string kind) =>
        [.. XDocument.Load(Path.Combine(Root, project)).Descendants(kind).Select(r => (string)r.Attribute("Include")!)];

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Hosting.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("The tests do not run inside a checkout.");
    }
}
