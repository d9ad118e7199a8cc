namespace Hosting.Simulation.Tests.ControlPlane;

/// <summary>A call got no answer, or was refused: it may have been executed or not.</summary>
#pragma warning disable CA1064, CA1032, RCS1194 // only thrown and caught here
internal sealed class CallFailedException(string message) : Exception(message);
#pragma warning restore CA1064, CA1032, RCS1194
